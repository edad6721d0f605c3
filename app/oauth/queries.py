"""Applications of an agency, grants with the names around them, and what a person can let an application into."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.lib.ids import encode
from app.oauth.models import Application

PAGE_ROWS = 50
# One statement whatever the number of rows; names come through a function because applications belong to other agencies.
_GRANTS = text(
    """
    SELECT g.id, c.name AS application, c.publisher, s.id AS site_id, s.name AS site_name, m.name AS module_name, g.user_id,
           u.name AS person, g.scopes, g.created_at, g.last_used_at, g.expires_at,
           CASE WHEN g.revoked_at IS NOT NULL OR c.gone THEN 'ended' WHEN g.expires_at <= :now THEN 'expired'
                ELSE 'active' END AS status, count(*) OVER () AS total
    FROM external_oauth_grants g
    JOIN sites s ON s.id = g.site_id
    LEFT JOIN users u ON u.id = coalesce(g.user_id, g.created_by)
    LEFT JOIN modules_v2 i ON i.id = g.install_id
    LEFT JOIN module_source m ON m.id = i.module_id
    CROSS JOIN LATERAL oauth_client_name(g.client_id) c
    WHERE g.agency_id = :agency AND (CAST(:person AS uuid) IS NULL OR g.user_id = :person)
      AND (:search = '' OR position(lower(:search) IN lower(concat_ws(' ', c.name, c.publisher, s.name, u.name))) > 0)
      AND (CAST(:alone AS uuid) IS NULL OR (g.client_id = :alone AND g.user_id IS NULL))
      AND (:past OR (g.revoked_at IS NULL AND NOT c.gone AND (g.expires_at > :now OR g.expires_at IS NULL)))
    ORDER BY g.created_at DESC, g.id DESC LIMIT :rows OFFSET :start
    """
)


@dataclass(frozen=True, slots=True)
class GrantRow:
    """A grant as lists show it.

    module_name None: every module. user_id None: the application works by itself. person: who let it in, None when they are
    no longer a member. status: active, expired, ended.
    """

    id: UUID
    application: str
    publisher: str
    site_id: UUID
    site_name: str
    module_name: str | None
    user_id: UUID | None
    person: str | None
    scopes: list[str]
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    status: str

    @property
    def public_id(self) -> str:
        return encode("gnt", self.id)

    @property
    def site(self) -> str:
        return encode("ste", self.site_id)


@dataclass(frozen=True, slots=True)
class Grants:
    rows: list[GrantRow]
    total: int
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE_ROWS))


def grants(
    db: Session,
    *,
    agency_id: UUID,
    person_id: UUID | None = None,
    alone: UUID | None = None,
    past: bool = False,
    search: str = "",
    now: datetime,
    page: int = 1,
) -> Grants:
    """A page of the agency's grants, newest first.

    person_id: only theirs. alone: only where this application works by itself. past: ended and expired ones too. search:
    part of a name of application, publisher, site or person, in any case.
    """
    asked = {
        "agency": agency_id, "person": person_id, "alone": alone, "past": past, "search": search, "now": now, "rows": PAGE_ROWS,
        "start": (page - 1) * PAGE_ROWS,
    }  # fmt: skip
    rows = list(db.execute(_GRANTS, asked))
    return Grants([GrantRow(*row[:-1]) for row in rows], rows[0].total if rows else 0, page)


def applications(db: Session, *, agency_id: UUID, limit: int = 200) -> list[Application]:
    """The agency's own applications, newest first."""
    return list(
        db.scalars(
            select(Application)
            .where(Application.agency_id == agency_id, Application.deleted_at.is_(None))
            .order_by(Application.created_at.desc(), Application.id.desc())
            .limit(limit)
        )
    )
