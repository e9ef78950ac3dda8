"""Which sources may be read, and how they reach a render's input directory. No Django models here."""

from apps.visualizations.sources.addresses import Address, address_allow, address_parse
from apps.visualizations.sources.artifacts import artifact_fetch
from apps.visualizations.sources.cache import SourceCache
from apps.visualizations.sources.intake import FetchedSource, Intake
from apps.visualizations.sources.local import local_fetch
from apps.visualizations.sources.objects import objects_fetch
from apps.visualizations.sources.staging import Wanted, source_stage

__all__ = [
    "Address",
    "FetchedSource",
    "Intake",
    "SourceCache",
    "Wanted",
    "address_allow",
    "address_parse",
    "artifact_fetch",
    "local_fetch",
    "objects_fetch",
    "source_stage",
]
