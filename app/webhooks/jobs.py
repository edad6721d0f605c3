"""webhooks.deliver: sets this process's senders to work. Safe to run anywhere, in parallel, at any time."""

from __future__ import annotations

from flask import Flask, current_app

from app.webhooks.pump import process_pump
from app.webhooks.setup import current_setup


def deliver() -> None:
    """Send every due delivery, beside this job: it does not wait for the receivers."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # the senders outlive this context
    process_pump(app, current_setup()).start()
