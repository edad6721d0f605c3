"""What visitors' requests ask: which pages are closed, whether a token or session opens them. Asked as dramac_runtime."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from app.db.pools import runtime_pool
from app.domains.known import platform_origins, verified_origins
from app.embed.tokens import Session, make_session, read_session, read_token
from app.errors import Forbidden, Unauthenticated
from app.lib.crypto import token_hash
from app.runtime.context import InstallContext

MOST = 5000
_kept: dict[UUID, tuple[InstallContext, frozenset[str]]] = {}


class TokenRefused(Unauthenticated):
    """This embed token is not valid: it was mistyped, has expired or was revoked. Create a new one on the Embed page."""

    code = "embed_token_refused"


class OriginRefused(Forbidden):
    """This embed token does not work on this site. Verify the site's domain, or name it among the token's origins."""

    code = "embed_origin_refused"


def is_closed(context: InstallContext, page: str) -> bool:
    """Whether the page opens only with a token. Known as long as the install's context is, which any change ends."""
    kept = _kept.get(context.install_id)
    if kept is None or kept[0] is not context:
        with runtime_pool().connection() as connection:
            rows = connection.execute("SELECT embed_closed_pages(%s)", [context.install_id], prepare=True).fetchall()
        if len(_kept) >= MOST:
            _kept.clear()
        _kept[context.install_id] = kept = (context, frozenset(row[0] for row in rows))
    return page in kept[1]


def open_session(context: InstallContext, *, keys: tuple[str, ...], token: str, origin: str, now: datetime) -> str:
    """A new session for a host page at `origin`, counted on the token. Raises TokenRefused, OriginRefused."""
    claims = read_token(keys, token, now=now)
    if claims is None or claims.install_id != context.install_id:
        raise TokenRefused()
    allowed = verified_origins(context.site_id)
    if origin not in allowed or (claims.origins and origin not in claims.origins):
        raise OriginRefused()
    with runtime_pool().connection() as connection:
        used = connection.execute(
            "SELECT id FROM embed_token_used(%s, %s, %s)", [token_hash(token), context.install_id, now], prepare=True
        ).fetchone()
    if used is None or used[0] != claims.id:
        raise TokenRefused()
    return make_session(keys, install_id=context.install_id, origin=origin, token_id=claims.id, now=now)


def session_for(context: InstallContext, *, keys: tuple[str, ...], text: str, now: datetime) -> Session | None:
    """A session that opens this install's closed pages now: its token lives and its host is still verified.

    The platform's own previews need no token.
    """
    session = read_session(keys, text, install_id=context.install_id, now=now)
    if session is None:
        return None
    if session.token_id is None:
        return session if session.origin in platform_origins(agency_id=context.agency_id) else None
    if session.origin not in verified_origins(context.site_id):
        return None
    with runtime_pool().connection() as connection:
        row = connection.execute(
            "SELECT embed_token_alive(%s, %s, %s)", [session.token_id, context.install_id, now], prepare=True
        ).fetchone()
    return session if row is not None and row[0] else None
