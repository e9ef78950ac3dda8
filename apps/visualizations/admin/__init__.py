"""Admin pages, which call the services like every other entry point."""

from apps.visualizations.admin.results import RenderAdmin, VisualizationAdmin
from apps.visualizations.admin.tokens import ApiTokenAdmin

__all__ = ["ApiTokenAdmin", "RenderAdmin", "VisualizationAdmin"]
