"""Screens of the marketplace: finding modules, one module, and what platform staff arrange."""

from app.marketplace.views import find, module, programme, ratings, staff, wishes
from app.marketplace.views.common import bp

__all__ = ["bp", "find", "module", "programme", "ratings", "staff", "wishes"]
