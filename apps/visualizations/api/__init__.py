"""The REST API, version 1. `door` says who may come in and how answers look, `schemas` and `shapes` what they hold."""

from apps.visualizations.api.endpoints import api

__all__ = ["api"]
