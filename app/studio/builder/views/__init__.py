"""Routes of the visual editors, one file for each tab."""

from app.studio.builder.views import diagram, permissions, screens, settings, tables
from app.studio.builder.views.frame import bp

__all__ = ["bp", "diagram", "permissions", "screens", "settings", "tables"]
