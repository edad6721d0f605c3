"""The blueprint, and what its templates call things."""

from __future__ import annotations

from flask import Blueprint

from app.marketplace.names import written

bp = Blueprint("marketplace", __name__)
bp.add_app_template_filter(written, "category")
