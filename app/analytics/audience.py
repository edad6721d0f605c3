"""What pages tell: each answered page of a person's is one view, counted here and nowhere else; scripts tell the rest."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from app.analytics.agents import language_of
from app.analytics.keys import PageKey, SitePage, make_key, make_name, new_nonce
from app.analytics.places import Countries
from app.analytics.visitors import visitor_of
from app.analytics.writing import EventQueue, Happened
from app.runtime.context import InstallContext
from app.web.visits import Visit


class Counting:
    """An app.runtime.audience.Audience. Whoever asks not to be counted is not, and pages loaded in advance are not."""

    def __init__(self, *, keys: tuple[str, ...], queue: EventQueue, countries: Countries) -> None:
        self.keys, self.queue, self.countries = keys, queue, countries

    def page_shown(self, context: InstallContext, page: str, visit: Visit, *, again: bool, now: datetime) -> str:
        if visit.unwanted or visit.early:
            return ""
        surface, place, referrer = seen_at(visit)
        if not again:
            self._happened(context, "view", page, visit, now=now)
        key = PageKey(
            install_id=context.install_id, version=context.version, page=page, nonce=new_nonce(), again=again,
            surface=surface, place=place, referrer=referrer, issued_at=now,
        )  # fmt: skip
        return make_key(self.keys, key)

    def form_sent(self, context: InstallContext, page: str, visit: Visit, *, now: datetime) -> None:
        if not visit.unwanted:
            self._happened(context, "submit", page, visit, now=now)

    def site_page_shown(self, site_id: UUID, page_id: UUID, path: str, visit: Visit, *, now: datetime) -> None:
        if visit.unwanted or visit.early:
            return
        self.queue.add(
            Happened(
                at=now, agency_id=None, site_id=site_id, install_id=None, module_id=None, event="view", name="", version="",
                page=path, page_id=page_id, surface="site", place=visit.host,
                referrer=visit.referrer if visit.referrer != visit.host else "", value=0, **self._who(site_id, visit, now),
            )
        )  # fmt: skip

    def site_page_name(self, site_id: UUID, page_id: UUID, path: str) -> str:
        return make_name(self.keys, SitePage(site_id, page_id, path))

    def site_page_key(self, page: SitePage, visit: Visit, *, now: datetime) -> str:
        """The key for one visitor's look at a site's own page; "" for who asks not to be counted."""
        if visit.unwanted:
            return ""
        key = PageKey(
            install_id=None, version="", page=page.path, nonce=new_nonce(), again=False, surface="site", place=visit.host,
            referrer="", issued_at=now, of=page,
        )  # fmt: skip
        return make_key(self.keys, key)

    def _happened(self, context: InstallContext, event: str, page: str, visit: Visit, *, now: datetime) -> None:
        surface, place, referrer = seen_at(visit)
        self.queue.add(
            Happened(
                at=now, agency_id=context.agency_id, site_id=context.site_id, install_id=context.install_id,
                module_id=context.module_id, event=event, name="", version=context.version, page=page, page_id=None,
                surface=surface, place=place, referrer=referrer, value=0, **self._who(context.site_id, visit, now),
            )
        )  # fmt: skip

    def _who(self, site_id: UUID, visit: Visit, now: datetime) -> dict[str, Any]:
        return {
            "visitor": visitor_of(site_id, visit.address, visit.user_agent, now=now),
            "language": language_of(visit.languages),
            "country": self.countries.of(visit.address),
            "user_agent": visit.user_agent,
        }


def seen_at(visit: Visit) -> tuple[str, str, str]:
    """(surface, place, referrer): in a frame the page before is the page around it."""
    if visit.framed:
        return "frame", visit.referrer, ""
    return "direct", visit.host, visit.referrer if visit.referrer != visit.host else ""
