"""Screens of the marketplace: finding modules, one module, and what platform staff arrange."""

from app.marketplace.views import entitlements, find, module, programme, ratings, staff, trials, wishes
from app.marketplace.views.common import bp

__all__ = ["bp", "entitlements", "find", "module", "programme", "ratings", "staff", "trials", "wishes"]
