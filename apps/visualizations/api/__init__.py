"""The REST API, version 1: authentication (`auth`), errors (`errors`), fields (`schemas`, `shapes`)."""

from apps.visualizations.api.endpoints import api

__all__ = ["api"]
