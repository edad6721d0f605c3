"""Screens of support: logs and saved searches, the audit trail, and in development the mailbox."""

from app.support.views import audit, logs, searches
from app.support.views.common import bp

__all__ = ["audit", "bp", "logs", "searches"]
