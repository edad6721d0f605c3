"""Who hears that a page was shown or a form was sent. The composition root hands in whoever counts; until then nobody does."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol
from uuid import UUID

from app.runtime.context import InstallContext
from app.web.visits import Visit


class Audience(Protocol):
    """Each call returns at once and raises nothing: counting never stands in the way of a page."""

    def page_shown(self, context: InstallContext, page: str, visit: Visit, *, again: bool, now: datetime) -> str:
        """A page of a module was answered. again: it came back, as after a form, so this is no new view.

        Returns the key with which the page's own script may tell more, "" when it is not to.
        """

    def form_sent(self, context: InstallContext, page: str, visit: Visit, *, now: datetime) -> None:
        """A visitor's form was taken in."""

    def site_page_shown(self, site_id: UUID, page_id: UUID, path: str, visit: Visit, *, now: datetime) -> None:
        """A page of a site's own was answered."""

    def site_page_name(self, site_id: UUID, page_id: UUID, path: str) -> str:
        """What a page of a site's own says of itself in every answer, so that its script may tell more; "" when it is not to."""


class _Nobody:
    def page_shown(self, context: InstallContext, page: str, visit: Visit, *, again: bool, now: datetime) -> str:
        return ""

    def form_sent(self, context: InstallContext, page: str, visit: Visit, *, now: datetime) -> None:
        return None

    def site_page_shown(self, site_id: UUID, page_id: UUID, path: str, visit: Visit, *, now: datetime) -> None:
        return None

    def site_page_name(self, site_id: UUID, page_id: UUID, path: str) -> str:
        return ""


_audience: dict[str, Audience] = {}
_NOBODY = _Nobody()


def configure_audience(audience: Audience) -> None:
    _audience["now"] = audience


def audience() -> Audience:
    return _audience.get("now", _NOBODY)
