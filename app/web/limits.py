"""Flask-Limiter for people: sign-in, forms and screens; and for OAuth. The API has its own leases (gateway)."""

from __future__ import annotations

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

limiter = Limiter(
    get_remote_address, default_limits=["600 per minute"], headers_enabled=False, strategy="moving-window"
)
# OAuth's endpoints, which no lease counts because nobody has proved yet who they are
program_limiter = Limiter(get_remote_address, headers_enabled=False, strategy="moving-window")


def register_limits(app: Flask, redis_url: str, limiter: Limiter = limiter) -> None:
    """Count in Valkey; when it is away screens stay open and only sign-in, which counts in the database, stays closed."""
    # the counting library wants to be told that a socket is Redis
    storage = f"redis+{redis_url}" if redis_url.startswith("unix:") else redis_url
    app.config.update(RATELIMIT_STORAGE_URI=storage, RATELIMIT_KEY_PREFIX="dramac:limit", RATELIMIT_SWALLOW_ERRORS=True)
    limiter.init_app(app)
