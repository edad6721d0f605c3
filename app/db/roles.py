"""The database roles and how to reach them: one address is configured, the other roles' are derived."""

from __future__ import annotations

from urllib.parse import quote, urlsplit, urlunsplit

from app.lib.crypto import derive

APP, RUNTIME, STAFF = "dramac_app", "dramac_runtime", "dramac_staff"
LOGIN_ROLES = (APP, RUNTIME, STAFF)


def role_password(secret_key: str, role: str) -> str:
    """The password of one login role: derived from the secret key, so that it is kept nowhere."""
    return derive(secret_key, f"database-role:{role}").hex()


def role_url(owner_url: str, secret_key: str, role: str) -> str:
    """The owner's address with another role's name and password in it."""
    parts = urlsplit(owner_url)
    _, _, place = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{role}:{quote(role_password(secret_key, role))}@{place}"))


def sqlalchemy_url(url: str) -> str:
    """The same address for SQLAlchemy over psycopg 3."""
    return "postgresql+psycopg" + url[url.index("://") :]
