"""Who may put a module's page in a frame, and that no cookie comes into it (security.md E1, E2, E4)."""

from __future__ import annotations

import re

import pytest
from bs4 import BeautifulSoup

from app.config import Config
from app.db.base import db
from app.db.scope import platform_scope
from app.db.session import transaction
from app.installs.models import Install
from app.lib.ids import uuid7
from app.runtime.context import forget_install
from app.tenancy.models import Site
from tests.support.domains import MISSING, added_domain, check, verified_domain
from tests.support.modules import Installed
from tests.support.world import World
from tests.web.conftest import Browse
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


def test_where_a_module_does_not_serve_its_sites_own_page_has_a_hole(
    visitor: Visitor, enquiries: Installed, site: Site
) -> None:
    seen = {}
    for status in ("active", "paused", "removed"):
        with platform_scope("test"), transaction(db.session()) as session:
            session.get_one(Install, enquiries.id).status = status
        forget_install(enquiries.id)
        for page in ("contact", "nowhere"):
            answer = visitor.get(f"/embed/{enquiries.public_id}/{page}?_page=1", headers={"Sec-Fetch-Dest": "iframe"})
            policy = answer.headers["Content-Security-Policy"]
            words = BeautifulSoup(answer.text, "html.parser").body
            assert words is not None
            seen[status, page] = (
                answer.status_code,
                "frame-ancestors 'self'" in policy,
                bool(words.get_text().strip()),
            )
    assert seen == {
        ("active", "contact"): (200, True, True), ("active", "nowhere"): (404, True, False),
        ("paused", "contact"): (503, True, False), ("paused", "nowhere"): (503, True, False),
        ("removed", "contact"): (404, True, False), ("removed", "nowhere"): (404, True, False),
    }  # fmt: skip
    # elsewhere, and for who has written something, it is an error as ever
    assert (
        "frame-ancestors 'none'"
        in visitor.get(f"/embed/{enquiries.public_id}/contact").headers["Content-Security-Policy"]
    )
    sent = visitor.post(f"/embed/{enquiries.public_id}/contact?_page=1", {"name": "Ann"})
    assert (sent.status_code, "frame-ancestors 'self'" in sent.headers["Content-Security-Policy"]) == (404, True)
    assert "<h1" in sent.text


def test_E2_the_platforms_preview_is_framed_by_the_platform_alone(
    visitor: Visitor, enquiries: Installed, site: Site, config: Config
) -> None:
    verified_domain(site, f"shop-{uuid7().hex[-12:]}.com")
    assert framers(visitor, enquiries, "?_preview=1") == (config.platform_url, True)
    # in a page of the site, in the page editor's preview: those two and nobody else
    assert framers(visitor, enquiries, "?_preview=1&_page=1") == (f"'self' {config.platform_url}", True)
    assert framers(visitor, enquiries, "?_page=1") == ("'self'", True)


def test_E1_no_answer_to_a_visitor_sets_or_reads_a_cookie(visitor: Visitor, enquiries: Installed) -> None:
    plain = visitor.get(f"/embed/{enquiries.public_id}/contact")
    given = visitor.get(f"/embed/{enquiries.public_id}/contact", headers={"Cookie": "__Host-session=x; session=y"})
    for answer in (plain, given, visitor.get(f"/embed/{enquiries.public_id}/nothing")):
        assert "Set-Cookie" not in answer.headers
        assert "Cookie" not in answer.headers.get("Vary", "")


@pytest.mark.parametrize("path", ["/switch-agency", "/sign-out", "/oauth/authorize"])
def test_E4_what_takes_cookies_refuses_a_frame_without_an_origin(browse: Browse, world: World, path: str) -> None:
    ada = browse(world.person(world.agency()))
    assert ada.post(path, {}, headers={"Origin": "null", "Sec-Fetch-Site": "cross-site"}).status == 403
