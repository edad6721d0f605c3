"""Screens of pages on the platform (`bp`), and the pages themselves on the runtime origin (`site.bp`)."""

from app.pages.views import editor, lists, site
from app.pages.views.common import bp

__all__ = ["bp", "editor", "lists", "site"]
