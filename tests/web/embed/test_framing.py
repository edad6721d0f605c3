"""Who may put a module's page in a frame (security.md E2)."""

from __future__ import annotations

import re

import pytest

from app.config import Config
from app.db.base import db
from app.db.scope import platform_scope
from app.db.session import transaction
from app.lib.ids import uuid7
from app.tenancy.models import Site
from tests.support.domains import MISSING, added_domain, check, verified_domain
from tests.support.modules import Installed
from tests.web.embed.conftest import Visitor


@pytest.fixture
def site(enquiries: Installed) -> Site:
    with platform_scope("test"), transaction(db.session()) as session:
        return session.get_one(Site, enquiries.context.site_id)


def framers(visitor: Visitor, install: Installed, query: str = "") -> tuple[str, bool]:
    """(frame-ancestors, whether X-Frame-Options is absent) of a page."""
    answer = visitor.get(f"/embed/{install.public_id}/contact{query}")
    found = re.search(r"frame-ancestors ([^;]+)", answer.headers["Content-Security-Policy"])
    assert found is not None
    return found[1], "X-Frame-Options" not in answer.headers


def test_E2_exactly_the_verified_origins_may_frame_a_page(visitor: Visitor, enquiries: Installed, site: Site) -> None:
    assert framers(visitor, enquiries) == ("'none'", True)
    one, two, other = (f"{name}-{uuid7().hex[-12:]}.com" for name in "abc")
    added_domain(site, other)
    first, _ = verified_domain(site, one), verified_domain(site, two)
    assert framers(visitor, enquiries) == (f"https://{one} https://{two}", True)
    for _ in range(3):
        check(first, MISSING)
    assert framers(visitor, enquiries) == (f"https://{two}", True)


def test_E2_the_platforms_preview_is_framed_by_the_platform_alone(
    visitor: Visitor, enquiries: Installed, site: Site, config: Config
) -> None:
    verified_domain(site, f"shop-{uuid7().hex[-12:]}.com")
    assert framers(visitor, enquiries, "?_preview=1") == (config.platform_url, True)
