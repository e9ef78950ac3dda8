"""Which sources may be read, and how they reach a render's input directory. Contains no Django models."""

from apps.visualizations.sources.addresses import address_allow, address_parse, parts_below
from apps.visualizations.sources.artifacts import artifact_fetch
from apps.visualizations.sources.cache import SourceCache
from apps.visualizations.sources.download import Download, FetchedSource
from apps.visualizations.sources.objects import objects_fetch
from apps.visualizations.sources.staging import SourceSpec, source_stage, source_version

__all__ = [
    "Download",
    "FetchedSource",
    "SourceCache",
    "SourceSpec",
    "address_allow",
    "address_parse",
    "artifact_fetch",
    "objects_fetch",
    "parts_below",
    "source_stage",
    "source_version",
]
