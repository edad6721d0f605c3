"""Access tokens as the gateway meets them: one question to the database for each call, so that an end is at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.access.permissions import ROLE_PERMISSIONS, Role
from app.db.pools import runtime_pool
from app.errors import Forbidden, Unauthenticated
from app.lib.crypto import token_hash
from app.lib.ids import encode
from app.oauth.models import ACCESS_PREFIX, SCOPE_NEEDS

_ORIGIN_KNOWN = "SELECT oauth_origin_known(%s)"
_BY_HASH = "SELECT * FROM oauth_access_by_hash(%b)"


class TokenInvalid(Unauthenticated):
    """This access token is unknown, has expired or was revoked. Refresh it, or ask the person to connect again."""

    code = "token_invalid"


class GrantUnusable(Forbidden):
    """The site or the agency of this access token is closed. Ask its owner."""

    code = "grant_unusable"


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What a token opens: the grant's site, and those of its scopes that the person's role allows today."""

    id: UUID  # of the grant: what the program wrote stays its own after a refresh
    ref: str
    quota_key: str
    agency_id: UUID
    site_id: UUID
    install_id: UUID | None
    scopes: frozenset[str]
    expires_at: datetime
    revoked: bool
    closed: bool
    origins: frozenset[str]  # of pages that may read the answers: where an application without a secret runs
    kind: str = "oauth"

    def must_be_usable(self, *, address: str, origin: str, now: datetime) -> None:
        """Raises TokenInvalid, GrantUnusable."""
        if self.revoked or self.expires_at <= now:
            raise TokenInvalid()
        if self.closed:
            raise GrantUnusable()

    def works_at(self, origin: str) -> bool:
        """Whether pages of this origin may read the answers."""
        return origin in self.origins


def knows_origin(origin: str) -> bool:
    """Whether an application that runs in browsers does so at this origin."""
    with runtime_pool().connection() as connection:
        row = connection.execute(_ORIGIN_KNOWN, [origin]).fetchone()
    return bool(row and row[0])


def is_access_token(token: str) -> bool:
    """Whether it looks like one, so that keys are not asked about."""
    return token.startswith(ACCESS_PREFIX)


def find_access(token: str) -> AccessToken:
    """The token's grant, usable or not. Raises TokenInvalid for one nobody has or whose person is gone."""
    with runtime_pool().connection() as connection:
        row = connection.execute(_BY_HASH, [token_hash(token)]).fetchone()
    if row is None:
        raise TokenInvalid()
    grant_id, agency_id, site_id, install_id, origins, scopes, role, expires_at, revoked, archived, suspended = row
    return AccessToken(
        id=grant_id,
        ref=encode("gnt", grant_id),
        quota_key=f"{site_id}:{grant_id}",
        agency_id=agency_id,
        site_id=site_id,
        install_id=install_id,
        scopes=frozenset(_effective(scopes, role)),
        expires_at=expires_at,
        revoked=revoked,
        closed=archived or suspended,
        origins=frozenset(origins),
    )


def _effective(scopes: list[str], role: str | None) -> list[str]:
    """Those of the scopes that the role allows; all of them when no person stands behind the token."""
    if role is None:
        return scopes
    allowed = ROLE_PERMISSIONS[Role(role)]
    return [scope for scope in scopes if SCOPE_NEEDS[scope] in allowed]
