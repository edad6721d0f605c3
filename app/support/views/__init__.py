"""Screens of support: logs and saved searches, the audit trail, support access, health, jobs, and in development the mailbox."""

from app.support.views import access, audit, health, jobs, logs, searches
from app.support.views.common import bp

__all__ = ["access", "audit", "bp", "health", "jobs", "logs", "searches"]
