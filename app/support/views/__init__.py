"""Screens of support: logs, replay, saved searches, the audit trail, support access, health, case bundles, jobs, status; in
development the mailbox.
"""

from app.support.views import access, audit, cases, health, jobs, logs, reasons, replay, searches, status
from app.support.views.common import bp

__all__ = ["access", "audit", "bp", "cases", "health", "jobs", "logs", "reasons", "replay", "searches", "status"]
