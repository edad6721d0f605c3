"""A site whose pages are written in a test: actions in the agency's scope, committed as a request would."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any

from PIL import Image
from sqlalchemy.orm import Session

from app.db.base import db
from app.db.scope import tenant_scope
from app.db.session import transaction
from app.lib.clock import utcnow
from app.pages import actions
from app.pages.content import Content, read_content
from app.pages.images import keep_image
from app.pages.models import SiteImage, SitePage
from app.tenancy.models import Agency, Site
from tests.support.world import Person, World


@dataclass
class Desk:
    """Ada at work on the pages of a site."""

    agency: Agency
    ada: Person
    site: Site

    @contextmanager
    def session(self) -> Iterator[Session]:
        with tenant_scope(self.site.agency_id, user_id=self.ada.id), transaction(db.session()) as session:
            yield session

    def page(self, path: str = "/", title: str = "Home", *, live: bool = False, **values: Any) -> SitePage:
        """A new page. values: of Content, blocks as dictionaries."""
        content = read_content({"title": title, **values})
        with self.session() as session:
            site = session.get_one(Site, self.site.id)
            page = actions.create_page(session, site=site, content=content, path=path, by=self.ada.actor, now=utcnow())
            if live:
                actions.publish_page(session, page=page, by=self.ada.actor, now=utcnow())
            return page

    def save(self, page: SitePage, revision: int, *, now: datetime | None = None, **values: Any) -> SitePage:
        content = Content.model_validate({**page.draft, **values})
        with self.session() as session:
            own = session.get_one(SitePage, page.id)
            return actions.save_draft(
                session, page=own, content=content, revision=revision, by=self.ada.actor, now=now or utcnow()
            )

    def now(self, page: SitePage) -> SitePage:
        """The page as it stands in the database."""
        with self.session() as session:
            return session.get_one(SitePage, page.id)

    def image(self, width: int = 1600, height: int = 900) -> SiteImage:
        with self.session() as session:
            site = session.get_one(Site, self.site.id)
            return keep_image(session, site=site, name="harbour.png", content=picture(width, height), now=utcnow())


def open_desk(world: World, agency: Agency | None = None) -> Desk:
    agency = agency or world.agency()
    return Desk(agency, world.person(agency), world.site(agency, time_zone="Europe/Lisbon"))


def picture(width: int = 60, height: int = 40, kind: str = "PNG", **how: Any) -> bytes:
    """A file with one picture of one colour."""
    out = BytesIO()
    Image.new("RGB" if kind == "JPEG" else "P", (width, height), 4).save(out, kind, **how)
    return out.getvalue()
