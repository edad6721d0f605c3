"""What visitors of a site get: pages, menus, redirects, pictures, sitemap and robots, fast and without cookies."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from bs4 import BeautifulSoup
from werkzeug.test import TestResponse

from app.analytics.jobs import sum_up
from app.analytics.setup import setup
from app.config import Config
from app.events.jobs import dispatch
from app.lib.clock import utcnow
from app.pages import actions, structure
from app.pages.models import SitePage
from app.pages.preview import preview_token
from app.pages.queries import views_of
from app.pages.showing import look_of
from app.runtime.own_pages import give_leave
from app.tenancy.actions.sites import archive_site
from app.tenancy.models import Site
from app.web.assets import asset
from tests.support.domains import verified_domain
from tests.support.pagedesk import Desk
from tests.web.pages.conftest import Counted, Reader

POLICY = (
    r"default-src 'none'; style-src 'self' 'sha256-[\w+/]{43}='; img-src 'self' data: https:; font-src 'self'; "
    r"script-src http://127\.0\.0\.1:8001/static/dist/visits\.\w+\.js; "
    r"connect-src http://127\.0\.0\.1:8001/embed/analytics http://127\.0\.0\.1:8001/embed/analytics/key; "
    r"frame-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
INSTALL = "ins_01m84f3v13ef587eaqnetrjs8f"


def soup(answer: TestResponse) -> BeautifulSoup:
    return BeautifulSoup(answer.text, "html.parser")


def texts(answer: TestResponse, selector: str) -> list[str]:
    return [" ".join(tag.get_text(" ").split()) for tag in soup(answer).select(selector)]


def change(desk: Desk, page: SitePage, act: Any, **how: Any) -> None:
    with desk.session() as session:
        act(session, page=session.get_one(SitePage, page.id), by=desk.ada.actor, **how)


def test_a_page_is_one_statement_and_none_the_second_time_until_something_changes(
    desk: Desk, reader: Reader, asked: Counted
) -> None:
    page = desk.page(lead="Before", live=True)
    reader.get("/nothing")  # the process learns the site
    with asked() as first:
        before = reader.get("/")
    with asked() as second:
        again = reader.get("/")
    assert (before.status_code, len(first), second) == (200, 1, [])
    assert (again.data, again.headers["ETag"]) == (before.data, before.headers["ETag"])
    assert reader.get("/", If_None_Match=before.headers["ETag"]).status_code == 304
    page = desk.save(page, 1, lead="After")
    assert texts(reader.get("/"), ".lead") == ["Before"]  # a draft is nobody else's business
    change(desk, page, actions.publish_page, now=utcnow())
    after = reader.get("/", If_None_Match=before.headers["ETag"])
    assert (after.status_code, texts(after, ".lead")) == (200, ["After"])


def test_a_page_sets_no_cookie_runs_one_script_of_ours_and_says_what_browsers_may_do(
    desk: Desk, reader: Reader
) -> None:
    desk.page(live=True)
    answer = reader.get("/")
    assert re.fullmatch(POLICY, answer.headers["Content-Security-Policy"])
    assert "Set-Cookie" not in answer.headers
    assert [one.get("src") for one in soup(answer).select("script, [style], [onclick]")] == [asset("visits.js")]
    assert answer.headers["Cache-Control"] == "public, no-cache"


def test_every_block_is_shown_as_it_was_written(desk: Desk, reader: Reader) -> None:
    image = desk.image()
    blocks: list[dict[str, Any]] = [
        {"kind": "heading", "text": "Where & when", "level": 3}, {"kind": "text", "text": "By the **harbour**."},
        {"kind": "image", "source": image.public_id, "alt": "The door", "caption": "Ring twice"},
        {"kind": "button", "label": "Write", "link": "/contact"},
        {"kind": "columns", "cards": True, "cells": [{"text": "One"}, {"text": "<b>Two</b>"}]},
        {"kind": "spacer", "size": "l", "line": True},
    ]  # fmt: skip
    desk.page(live=True, blocks=blocks, description="All about it", image=image.public_id, image_alt="Door")
    answer = reader.get("/")
    base = f"/s/{desk.site.slug}"
    assert texts(answer, "main > h1, main > h2, main .words, figcaption, a.button, .columns > div") == [
        "Home", "Where & when", "By the harbour .", "Ring twice", "Write", "One", "<b>Two</b>",
    ]  # fmt: skip
    picture = soup(answer).select("figure img")[0]
    assert {name: picture[name] for name in ("src", "srcset", "alt", "width", "height")} == {
        "src": f"{base}/-/images/{image.public_id}.webp", "alt": "The door", "width": "1600", "height": "900",
        "srcset": f"{base}/-/images/{image.public_id}-800.webp 800w, {base}/-/images/{image.public_id}.webp 1600w",
    }  # fmt: skip
    assert soup(answer).select("a.button")[0]["href"] == f"{base}/contact"
    meta = {str(tag.get("property") or tag.get("name")): tag["content"] for tag in soup(answer).select("meta[content]")}
    assert (meta["og:title"], meta["description"], meta["og:image"]) == (
        "Home", "All about it", f"http://127.0.0.1:8001{base}/-/images/{image.public_id}.webp",
    )  # fmt: skip
    assert soup(answer).select("link[rel=canonical]")[0]["href"] == f"http://127.0.0.1:8001{base}/"
    shown = reader.ask(str(picture["src"]))
    assert (shown.status_code, shown.content_type, shown.headers["Cache-Control"]) == (
        200, "image/webp", "public, max-age=31536000, immutable",
    )  # fmt: skip
    assert reader.ask(f"{base}/-/images/{image.public_id}-800.webp").status_code == 200


@pytest.mark.parametrize("name", ["x.webp", f"img_{'0' * 26}.webp", "../../secret", f"{INSTALL}.webp", "img_0.png"])
def test_a_picture_that_is_not_the_sites_is_not_there(desk: Desk, reader: Reader, name: str) -> None:
    desk.page(live=True)
    assert reader.get(f"/-/images/{name}").status_code == 404


def test_the_menu_has_its_order_and_shows_where_one_is(desk: Desk, reader: Reader) -> None:
    home, about = desk.page(live=True), desk.page("/about", "About us", live=True)
    team, _ = desk.page("/about/team", "Team", live=True), desk.page("/draft", "Nobody sees")
    desk.page("/hidden", "Hidden", live=True)
    with desk.session() as session:
        for page, parent, in_menu, label in (
            (team, about, True, "People"),
            (home, None, True, ""),
        ):
            structure.place_page(
                session, page=session.get_one(SitePage, page.id), path=page.path,
                parent=session.get_one(SitePage, parent.id) if parent else None, in_menu=in_menu, menu_label=label,
                by=desk.ada.actor,
            )  # fmt: skip
        hidden = next(one for one in session.query(SitePage).filter_by(site_id=desk.site.id, path="/hidden"))
        structure.place_page(
            session, page=hidden, path="/hidden", parent=None, in_menu=False, menu_label="", by=desk.ada.actor
        )
        structure.move_in_menu(session, page=session.get_one(SitePage, about.id), by_places=-1)
    answer = reader.get("/about/team")
    assert texts(answer, "nav > ul > li > a, nav summary, nav ul ul a") == ["About us", "About us", "People", "Home"]
    assert texts(answer, "nav [aria-current]") == ["People"]
    assert texts(answer, ".trail a") == ["About us"]


def test_the_menu_shows_pages_of_every_depth(desk: Desk, reader: Reader) -> None:
    paths = ("/a", "/a/b", "/a/b/c", "/a/b/c/d", "/a/b/c/d/e")
    made = [desk.page(path, path[-1].upper(), live=True) for path in paths]
    with desk.session() as session:
        for above, page in pairwise(made):
            structure.place_page(
                session, page=session.get_one(SitePage, page.id), path=page.path, in_menu=True, menu_label="",
                parent=session.get_one(SitePage, above.id), by=desk.ada.actor,
            )  # fmt: skip
    answer = reader.get("/a/b/c")
    assert texts(answer, "nav > ul > li > details > summary") == ["A"]
    assert texts(answer, "nav > ul > li > details > ul > li > a") == ["A", "B"]
    assert texts(answer, "nav > ul > li > details > ul > li > ul > li > a") == ["C", "D", "E"]
    assert texts(answer, "nav [aria-current]") == ["C"]


@pytest.mark.parametrize(
    ("target", "asked", "led"),
    [
        ("/new", "utm_source=x&utm_medium=%C3%A9", "{base}/new?utm_source=x&utm_medium=%C3%A9"),
        ("https://example.com/x?a=1#top", "a=2&b=3", "https://example.com/x?a=1&b=3#top"),
        ("/new", "", "{base}/new"),
        ("/new", 'x="<é>', "{base}/new?x=%22%3C%C3%A9%3E"),
    ],
)
def test_a_redirect_takes_the_query_along(desk: Desk, reader: Reader, target: str, asked: str, led: str) -> None:
    desk.page("/new", live=True)
    with desk.session() as session:
        site = session.get_one(Site, desk.site.id)
        structure.add_redirect(session, site=site, source="/old", target=target, by=desk.ada.actor)
    base = f"/s/{desk.site.slug}"
    assert reader.get(f"/old?{asked}").headers["Location"] == led.format(base=base)


def test_old_addresses_lead_on_and_others_get_the_sites_own_page_for_that(desk: Desk, reader: Reader) -> None:
    page = desk.page("/hours", live=True)
    with desk.session() as session:
        site = session.get_one(Site, desk.site.id)
        own = session.get_one(SitePage, page.id)
        where = {"parent": None, "in_menu": True, "menu_label": "", "by": desk.ada.actor}
        structure.place_page(session, page=own, path="/opening-hours", **where)  # type: ignore[arg-type]
        structure.add_redirect(
            session, site=site, source="/old.html", target="https://example.com/x", by=desk.ada.actor
        )
        look = look_of(session, site=site)
        values = {"lost_title": "Nothing here", "lost_text": "Try the [hours](/opening-hours)."}
        structure.change_look(session, look=look, values=values, by=desk.ada.actor, site=site)
    base = f"/s/{desk.site.slug}"
    led = {path: (a.status_code, a.headers.get("Location")) for path in ("/hours", "/old.html", "/opening-hours/?a=1", "")
           for a in [reader.get(path)]}  # fmt: skip
    assert led == {
        "/hours": (301, f"{base}/opening-hours"), "/old.html": (301, "https://example.com/x"),
        "/opening-hours/?a=1": (308, f"{base}/opening-hours?a=1"), "": (308, f"http://127.0.0.1:8001{base}/"),
    }  # fmt: skip
    lost = reader.get("/nowhere")
    assert (lost.status_code, texts(lost, "h1"), soup(lost).select(".words a")[0]["href"]) == (
        404, ["Nothing here"], f"{base}/opening-hours",
    )  # fmt: skip
    assert soup(lost).select("meta[name=robots]")[0]["content"] == "noindex"


def test_search_engines_get_live_pages_that_may_be_listed(desk: Desk, reader: Reader) -> None:
    desk.page(live=True)
    desk.page("/thanks", "Thanks", live=True, noindex=True)
    desk.page("/draft", "Draft")
    address = f"http://127.0.0.1:8001/s/{desk.site.slug}"
    assert re.findall("<loc>(.*?)</loc>", reader.get("/sitemap.xml").text) == [f"{address}/"]
    robots = reader.get("/robots.txt").text
    assert robots == f"User-agent: *\nDisallow: /s/{desk.site.slug}/-/preview/\nSitemap: {address}/sitemap.xml\n"
    with desk.session() as session:
        site = session.get_one(Site, desk.site.id)
        structure.change_look(
            session, look=look_of(session, site=site), values={"listed": False}, by=desk.ada.actor, site=site
        )
    assert reader.get("/robots.txt").text == f"User-agent: *\nDisallow: /s/{desk.site.slug}/\n"
    assert re.findall("<loc>", reader.get("/sitemap.xml").text) == []


def test_a_module_stands_in_a_sandboxed_frame_of_its_own(desk: Desk, reader: Reader, config: Config) -> None:
    page = desk.page()
    block = {"kind": "module", "install": INSTALL, "page": "contact", "title": "Write to us", "height": 500,
             "params": {"form": "visit", "theme": "dark"}}  # fmt: skip
    with desk.session() as session:  # an install that was removed meanwhile: its block stays in the draft
        own = session.get_one(SitePage, page.id)
        own.draft = {**own.draft, "blocks": [{"id": "00000001", **block}]}
    change(desk, page, actions.publish_page, now=utcnow())
    answer = reader.get("/")
    frame = soup(answer).select("iframe")[0]
    leave = give_leave(config.secret_keys, install=INSTALL, page="contact", params={"form": "visit"}, now=utcnow())
    assert frame.attrs == {
        "id": "b-00000001", "src": f"/embed/{INSTALL}/contact?form=visit&theme=auto&_page={leave}", "title": "Write to us",
        "height": "500", "loading": "lazy", "sandbox": ["allow-scripts", "allow-forms", "allow-popups"], "allow": "",
        "referrerpolicy": "strict-origin", "data-fit": "",
    }  # fmt: skip
    # the scripts that fit frames and count may run, by their whole addresses; a page without modules has no frames
    assert [script.attrs for script in soup(answer).select("script")] == [
        {"src": asset("frames.js"), "data-named": ""}, {"src": asset("visits.js"), "data-named": "", "defer": ""},
    ]  # fmt: skip
    here = "http://127.0.0.1:8001"
    assert (
        f"; script-src {here}{asset('frames.js')} {here}{asset('visits.js')}; "
        f"connect-src {here}/embed/analytics {here}/embed/analytics/key; frame-src"
        in answer.headers["Content-Security-Policy"]
    )


def test_drafts_are_seen_with_a_signed_link_alone(desk: Desk, reader: Reader, config: Config) -> None:
    page = desk.page(lead="Secret plans")
    keys, now = config.secret_keys, utcnow()
    whole, framed = (preview_token(keys, page.id, now=now, framed=how) for how in (False, True))
    answer = reader.get(f"/-/preview/{whole}")
    assert (answer.status_code, texts(answer, ".lead"), answer.headers["Cache-Control"]) == (
        200, ["Secret plans"], "no-store",
    )  # fmt: skip
    assert (answer.headers["X-Robots-Tag"], answer.headers["Referrer-Policy"]) == ("noindex, nofollow", "no-referrer")
    inside = reader.get(f"/-/preview/{framed}").headers["Content-Security-Policy"]
    # in the editor no script runs, not even ours; what modules show stands in frames of the runtime there, too
    assert (f"frame-ancestors {config.platform_url}" in inside, "frame-src 'self'" in inside) == (True, True)
    assert "script-src" not in inside
    over = preview_token(keys, page.id, now=now - timedelta(hours=2))
    answers = [reader.get(path).status_code for path in (f"/-/preview/{over}", f"/-/preview/{whole}x", "/")]
    assert answers == [404, 404, 404]
    assert reader.ask(f"/s/another-site/-/preview/{whole}").status_code == 404


def test_a_page_is_at_home_on_the_sites_own_domain_once_that_is_proven(desk: Desk, reader: Reader) -> None:
    desk.page("/about", "About", live=True)

    def home() -> str:
        return str(soup(reader.get("/about")).select("link[rel=canonical]")[0]["href"])

    assert home() == f"http://127.0.0.1:8001/s/{desk.site.slug}/about"
    verified_domain(desk.site, host := f"{desk.site.slug}.com", purposes=("pages",), www="to_www")
    dispatch()
    assert home() == f"https://www.{host}/about"


def test_an_archived_site_is_gone_at_once_and_comes_back(desk: Desk, reader: Reader) -> None:
    desk.page(live=True)
    assert reader.get("/").status_code == 200
    with desk.session() as session:
        archive_site(session, site=session.get_one(Site, desk.site.id), by=desk.ada.actor, now=utcnow())
    dispatch()
    assert reader.get("/").status_code == 404


@pytest.mark.parametrize("path", ["/%00", "/" + "a" * 600, "/a//b", "/\u202e", "/..%2f..%2fetc"])
def test_addresses_that_no_page_has(desk: Desk, reader: Reader, path: str) -> None:
    desk.page(live=True)
    assert reader.get(path).status_code in (404, 308)


def test_views_are_counted_for_people_who_read_a_page(desk: Desk, reader: Reader) -> None:
    page = desk.page(live=True)
    for headers in ({}, {}, {"User-Agent": "Googlebot/2.1"}, {"Sec-Purpose": "prefetch"}):
        reader.get("/", **headers)
    reader.get("/nowhere")
    Reader(reader.app, desk, "10.3.3.3").get("/")
    setup().counting.queue.flush()
    sum_up()
    with desk.session() as session:
        views = views_of(session, site_id=desk.site.id, today=utcnow().astimezone(ZoneInfo(desk.site.time_zone)).date())
    assert (views.of(page.id)[-1], sum(views.site)) == (2, 2)  # a page loaded twice at once was seen once


def test_a_site_that_never_had_pages_is_not_there(desk: Desk, reader: Reader) -> None:
    assert [reader.get(path).status_code for path in ("/", "/robots.txt", "/sitemap.xml")] == [404, 404, 404]


@pytest.fixture
def own_host(desk: Desk) -> str:
    host = f"{desk.site.slug}.com"
    verified_domain(desk.site, host, purposes=("pages",))
    return f"https://{host}"


def test_a_sites_own_host_serves_its_pages_at_their_own_addresses(
    desk: Desk, reader: Reader, asked: Counted, own_host: str
) -> None:
    image = desk.image()
    blocks = [
        {"kind": "image", "source": image.public_id, "alt": "A"},
        {"kind": "button", "label": "Go", "link": "/about"},
    ]
    desk.page(live=True, blocks=blocks)
    about = desk.page("/about", "About", live=True)
    with desk.session() as session:
        own = session.get_one(SitePage, about.id)
        where = {"parent": None, "in_menu": True, "menu_label": "", "by": desk.ada.actor}
        structure.place_page(session, page=own, path="/about-us", **where)  # type: ignore[arg-type]
    answer = reader.ask("/", own_host)
    with asked() as again:
        assert reader.ask("/", own_host).data == answer.data
    assert (answer.status_code, [one for one in again if "site_page" in one]) == (200, [])
    assert [tag["href"] for tag in soup(answer).select("nav a, a.button, link[rel=canonical]")] == [
        f"{own_host}/", "/", "/about-us", "/about",
    ]  # fmt: skip
    paths = [
        "/about-us",
        "/about",
        "/about-us/",
        f"/-/images/{image.public_id}.webp",
        "/nowhere",
        f"/s/{desk.site.slug}",
    ]
    assert {path: reader.ask(path, own_host).status_code for path in paths} == dict(
        zip(paths, [200, 301, 308, 200, 404, 404], strict=True)
    )
    assert reader.ask("/about", own_host).headers["Location"] == "/about-us"
    assert reader.ask("/about-us/", own_host).headers["Location"] == "/about-us"
    assert re.findall("<loc>(.*?)</loc>", reader.ask("/sitemap.xml", own_host).text) == [
        f"{own_host}/",
        f"{own_host}/about-us",
    ]
    assert reader.ask("/robots.txt", own_host).text == (
        f"User-agent: *\nDisallow: /-/preview/\nSitemap: {own_host}/sitemap.xml\n"
    )
    sheet = str(soup(answer).select("link[rel=stylesheet]")[0]["href"])
    assert reader.ask(sheet, own_host).status_code == 200


def test_the_name_of_own_hosts_is_no_site_elsewhere(desk: Desk, reader: Reader, config: Config) -> None:
    page = desk.page(live=True)
    token = preview_token(config.secret_keys, page.id, now=utcnow())
    assert [reader.ask(path).status_code for path in ("/s/-/", "/s/-/robots.txt", f"/s/-/-/preview/{token}")] == [
        404
    ] * 3
