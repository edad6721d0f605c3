"""Screens of an agency: home, sites, clients, members, settings, and the page behind an invitation."""

from app.tenancy.views import clients, home, joining, members, settings, sites
from app.tenancy.views.common import bp

__all__ = ["bp", "clients", "home", "joining", "members", "settings", "sites"]
