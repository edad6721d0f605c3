"""What pages and their scripts tell: with a key of the page itself, and nothing is written for anybody else."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from app.analytics import api
from app.analytics.keys import PageKey, SitePage, make_key, read_key
from app.analytics.setup import setup
from app.config import Config
from app.lib.clock import utcnow
from app.lib.ids import uuid7
from app.runtime.pages import spam
from tests.support.domains import verified_domain
from tests.support.modules import Installed
from tests.support.pagedesk import open_desk
from tests.support.world import World
from tests.web.analytics.conftest import BASE, FIREFOX, Visitor, counted
from tests.web.embed.conftest import inputs

MOUNT = {"event": "mount", "n": 0}


def test_a_page_is_one_view_and_its_script_tells_the_rest(visitor: Visitor, enquiries: Installed) -> None:
    key = visitor.key(enquiries)
    answer = visitor.tell(
        key, MOUNT, {"event": "start", "n": 1}, {"event": "click", "n": 2, "name": "plan.chosen"},
        {"event": "time", "n": 3, "value": 2500}, {"event": "error", "n": 4, "name": "x is not a function"},
        {"event": "custom", "n": 5, "name": "cart.added", "value": 2},
    )  # fmt: skip
    assert (answer.status_code, answer.data, answer.headers.get("Set-Cookie")) == (204, b"", None)
    assert sorted(counted(enquiries)) == [
        ("click", "plan.chosen", "contact", 0), ("custom", "cart.added", "contact", 2),
        ("error", "x is not a function", "contact", 0), ("mount", "", "contact", 0), ("start", "", "contact", 0),
        ("time", "", "contact", 2500), ("view", "", "contact", 0),
    ]  # fmt: skip
    row = enquiries.rows("SELECT * FROM module_analytics_events WHERE install_id = :install AND event = 'mount'")[0]
    assert (row["surface"], row["place"], row["version"], row["device"], row["browser"]) == (
        "frame", "shop.example", enquiries.context.version, "computer", "Firefox",
    )  # fmt: skip
    assert (row["site_id"], row["agency_id"]) == (enquiries.site.id, enquiries.site.agency_id)


def test_the_same_event_told_twice_counts_once(visitor: Visitor, enquiries: Installed) -> None:
    key = visitor.key(enquiries)
    for _ in range(3):
        assert visitor.tell(key, MOUNT, {"event": "time", "n": 1, "value": 10}).status_code == 204
    assert [row[0] for row in counted(enquiries)].count("mount") == 1
    assert [row[0] for row in counted(enquiries)].count("time") == 1


def test_an_event_stands_where_it_happened_but_never_before_its_page(visitor: Visitor, enquiries: Installed) -> None:
    began = utcnow()
    key = visitor.key(enquiries)
    visitor.tell(key, {"event": "start", "n": 0, "ago": 7_000_000})
    counted(enquiries)
    row = enquiries.rows("SELECT at FROM module_analytics_events WHERE install_id = :install AND event = 'start'")[0]
    assert began - timedelta(seconds=1) <= row["at"] <= utcnow()


Spoil = Callable[[str, Config, Installed], str]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda key, config, install: "", lambda key, config, install: key[:-2] + "AA", lambda key, config, install: "x" * 300,
        lambda key, config, install: make_key(("somebody else's key, which is long too",), _key(install)),
        lambda key, config, install: make_key(config.secret_keys, _key(install, at=utcnow() - timedelta(hours=3))),
        lambda key, config, install: key.replace("dmc_ak_", "dmc_et_"),
    ],
    ids=["none", "forged", "rubbish", "another platform's", "run out", "another kind"],
)  # fmt: skip
def test_without_a_good_key_nothing_is_written(
    visitor: Visitor, enquiries: Installed, config: Config, spoil: Spoil
) -> None:
    answer = visitor.tell(spoil(make_key(config.secret_keys, _key(enquiries)), config, enquiries), MOUNT)
    assert (answer.status_code, answer.json["code"]) == (401, "analytics_key_refused")  # type: ignore[index]
    assert counted(enquiries) == []


def test_the_key_of_another_install_tells_of_that_one(visitor: Visitor, enquiries: Installed, config: Config) -> None:
    gone = make_key(config.secret_keys, _key(enquiries, other=uuid7()))
    assert visitor.tell(gone, MOUNT).status_code == 404
    assert counted(enquiries) == []


def test_a_paused_module_is_told_nothing(visitor: Visitor, enquiries: Installed) -> None:
    key = visitor.key(enquiries)
    enquiries.change(status="paused")
    assert visitor.tell(key, MOUNT).status_code == 503
    assert [row[0] for row in counted(enquiries)] == ["view"]


def test_on_a_sites_own_host_no_key_of_another_site_is_taken(
    visitor: Visitor, enquiries: Installed, world: World, config: Config
) -> None:
    other = world.site(world.agency())
    host = f"{other.slug}.com"
    verified_domain(other, host, purposes=("pages",))
    key = make_key(config.secret_keys, _key(enquiries))
    assert visitor.tell(key, MOUNT, base_url=f"https://{host}").status_code == 404
    assert counted(enquiries) == []


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://127.0.0.1:9999.evil.example", "http://localhost:8000"]
)
def test_scripts_of_other_origins_are_refused(visitor: Visitor, enquiries: Installed, origin: str) -> None:
    key = visitor.key(enquiries)
    assert visitor.tell(key, MOUNT, headers={"Origin": origin}).status_code == 403
    assert [row[0] for row in counted(enquiries)] == ["view"]


@pytest.mark.parametrize(
    ("body", "status"),
    [("", 413), ("{", 422), ("[]", 422), ('{"key": "k", "events": [{"event": "view", "n": 0}]}', 422), ("x" * 20_000, 413)],
)  # fmt: skip
def test_what_is_no_batch_is_refused(visitor: Visitor, body: str, status: int) -> None:
    answer = visitor.send(body)
    assert answer.status_code == status
    assert answer.json["detail"]  # type: ignore[index]


def test_one_wrong_event_refuses_the_batch(visitor: Visitor, enquiries: Installed) -> None:
    key = visitor.key(enquiries)
    answer = visitor.tell(key, MOUNT, {"event": "click", "n": 1, "name": "NOT GOOD"})
    assert answer.status_code == 422
    assert answer.json["errors"][0]["pointer"] == "/events/1"  # type: ignore[index]
    assert [row[0] for row in counted(enquiries)] == ["view"]


def test_a_visitor_who_tells_too_much_waits(
    visitor: Visitor, enquiries: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "MOST_A_MINUTE", 5)
    key = visitor.key(enquiries)
    assert visitor.tell(key, *({"event": "time", "n": n, "value": 1} for n in range(5))).status_code == 204
    answer = visitor.tell(key, {"event": "time", "n": 6, "value": 1})
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "60")
    assert [row[0] for row in counted(enquiries)].count("time") == 5


@pytest.mark.parametrize("header", ["DNT", "Sec-GPC"])
def test_who_asks_not_to_be_counted_is_not(visitor: Visitor, enquiries: Installed, header: str, config: Config) -> None:
    assert visitor.key(enquiries, headers={header: "1"}) == ""
    key = make_key(config.secret_keys, _key(enquiries))
    assert visitor.tell(key, MOUNT, headers={header: "1"}).status_code == 204
    assert counted(enquiries) == []


def test_programs_previews_and_pages_loaded_early_are_no_views(visitor: Visitor, enquiries: Installed) -> None:
    path = f"/embed/{enquiries.public_id}/contact"
    robot = Visitor(visitor.app, visitor.address, "Mozilla/5.0 (compatible; bingbot/2.0)")
    robot.tell(robot.key(enquiries), MOUNT)
    assert 'data-analytics="' not in visitor.get(f"{path}?_preview=1").text
    assert 'data-analytics="' not in visitor.get(path, {"Sec-Purpose": "prefetch"}).text
    assert visitor._ask("HEAD", path, {}).status_code == 200
    assert counted(enquiries) == []


def test_a_page_seen_again_at_once_is_one_view_and_one_visitor(visitor: Visitor, enquiries: Installed) -> None:
    visitor.key(enquiries)
    visitor.key(enquiries)
    Visitor(visitor.app, "10.9.8.7").key(enquiries)
    counted(enquiries)
    rows = enquiries.rows(
        "SELECT count(*) AS views, count(DISTINCT visitor) AS visitors FROM module_analytics_events WHERE install_id = :install"
    )
    assert rows == [{"views": 2, "visitors": 2}]


def test_a_form_without_scripts_counts_as_seen_and_sent(visitor: Visitor, enquiries: Installed, config: Config) -> None:
    path = f"/embed/{enquiries.public_id}/contact"
    page = visitor.get(path)
    words = {"name": "Ada", "email": "ada@example.test", "message": "Hello there"}
    issued = int(utcnow().timestamp()) - 60
    stamp = spam.make_stamp(config.secret_keys, enquiries.id, "contact", now=utcnow(), issued=issued)
    sent = {**inputs(page), spam.STAMP: stamp, spam.TRAP: "", **words}
    wrong = visitor._ask("POST", path, {}, data={**sent, "email": "nobody"})
    assert (wrong.status_code, "data-again" in wrong.text) == (422, True)
    done = visitor._ask("POST", path, {}, data=sent)
    assert done.status_code == 303
    again = visitor.get(done.headers["Location"])
    assert "data-again" in again.text
    visitor._ask("POST", path, {}, data=sent)  # the second click keeps nothing
    assert sorted(row[0] for row in counted(enquiries)) == ["submit", "view"]


def test_a_key_of_a_page_that_came_back_mounts_nothing(visitor: Visitor, enquiries: Installed) -> None:
    text = visitor.get(f"/embed/{enquiries.public_id}/contact?sent=1").text
    key = text.split('data-analytics="')[1].split('"')[0]
    visitor.tell(key, MOUNT, {"event": "time", "n": 1, "value": 5})
    assert [row[0] for row in counted(enquiries)] == ["time"]


def test_a_sites_own_page_is_counted_with_where_its_reader_came_from(
    visitor: Visitor, world: World, config: Config
) -> None:
    desk = open_desk(world)
    page = desk.page(live=True)
    for referrer in ("https://www.search.example/?q=dentist", "http://127.0.0.1:8001/s/x/", ""):
        reader = Visitor(visitor.app, f"10.1.2.{len(referrer)}")
        assert reader.get(f"/s/{desk.site.slug}/", {"Referer": referrer, "Accept-Language": "pt-PT"}).status_code == 200
    setup().counting.queue.flush()
    with psycopg.connect(config.database_url) as owner:
        owner.execute("SET ROLE dramac_staff")
        rows = owner.execute(
            "SELECT event, page, page_id, surface, place, referrer, language, agency_id FROM module_analytics_events "
            "WHERE site_id = %s ORDER BY referrer",
            [desk.site.id],
        ).fetchall()
    seen = ("view", "/", page.id, "site", "127.0.0.1")
    assert rows == [
        (*seen, "", "pt", desk.site.agency_id), (*seen, "", "pt", desk.site.agency_id),
        (*seen, "search.example", "pt", desk.site.agency_id),
    ]  # fmt: skip


def name_of(visitor: Visitor, path: str) -> str:
    """What a site's own page is called towards the counting: the same for everybody, in every answer."""
    found = re.search(r'data-visits="([^"]+)"', visitor.get(path).text)
    assert found
    return found[1]


def test_the_script_of_a_sites_own_page_asks_for_its_key_and_tells_the_rest(
    visitor: Visitor, world: World, config: Config
) -> None:
    desk = open_desk(world)
    page, path = desk.page(live=True), f"/s/{desk.site.slug}/"
    name = name_of(visitor, path)
    first, second = (visitor.get(path) for _ in range(2))
    assert (first.headers["ETag"], first.text) == (second.headers["ETag"], second.text)  # so that browsers may keep it
    asked = visitor._ask("POST", "/embed/analytics/key", {"Origin": BASE}, data=name)
    assert (asked.status_code, asked.headers["Cache-Control"]) == (200, "no-store")
    told = visitor.tell(asked.text, MOUNT, {"event": "time", "n": 1, "value": 700}, headers={"Origin": BASE})
    assert told.status_code == 204
    setup().counting.queue.flush()
    with psycopg.connect(config.database_url) as owner:
        owner.execute("SET ROLE dramac_staff")
        rows = owner.execute(
            "SELECT event, page, page_id, install_id, value, agency_id FROM module_analytics_events "
            "WHERE site_id = %s AND event <> 'view' ORDER BY event",
            [desk.site.id],
        ).fetchall()
    own = ("/", page.id, None)
    assert rows == [("mount", *own, 0, desk.site.agency_id), ("time", *own, 700, desk.site.agency_id)]
    whose = read_key(config.secret_keys, asked.text, now=utcnow())
    assert whose is not None
    assert whose.of == SitePage(desk.site.id, page.id, "/")
    assert read_key(config.secret_keys, asked.text, now=utcnow() + timedelta(hours=2)) is None


def test_a_key_for_a_sites_own_page_is_for_its_own_visitors_alone(
    visitor: Visitor, world: World, config: Config
) -> None:
    desk, other = open_desk(world), world.site(world.agency())
    desk.page(live=True)
    name = name_of(visitor, f"/s/{desk.site.slug}/")

    def ask(body: str, **how: Any) -> int:
        headers = {"Origin": BASE, **how.pop("headers", {})}
        return visitor._ask("POST", "/embed/analytics/key", headers, data=body, **how).status_code

    assert ask(name, headers={"DNT": "1"}) == 204
    assert ask(name, headers={"Origin": "https://evil.example"}) == 403
    assert [ask(wrong) for wrong in ("dmc_ap_", name[:-1], name.replace("dmc_ap_", "dmc_ak_"), "é")] == [401] * 4
    assert ask("x" * 5000) == 413
    host = f"{other.slug}.com"
    verified_domain(other, host, purposes=("pages",))
    assert ask(name, base_url=f"https://{host}", headers={"Origin": f"https://{host}"}) == 404


def test_no_table_of_the_database_keeps_an_address_of_a_visitor(
    visitor: Visitor, enquiries: Installed, config: Config
) -> None:
    """Whatever is counted: the whole database is looked through."""
    address, marker = "2001:db8:7a1d:93c0::5eed", secrets.token_hex(12)  # short ones occur by chance
    shy = Visitor(visitor.app, address, FIREFOX.replace("rv:140.0", f"rv:140.0; {marker}"))
    shy.tell(shy.key(enquiries), MOUNT)
    assert len(counted(enquiries)) == 2
    with psycopg.connect(config.database_url) as owner:
        owner.execute("SET ROLE dramac_staff")
        tables = owner.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') "
            "AND NOT relispartition AND has_table_privilege('dramac_staff', oid, 'SELECT')"
        ).fetchall()
        found = [
            name for (name,) in tables
            if owner.execute(
                f"SELECT EXISTS (SELECT FROM {name} t WHERE to_jsonb(t)::text ~ '{address}|{marker}')".encode()
            ).fetchone() != (False,)
        ]  # fmt: skip
    assert len(tables) > 50
    assert found == []


def _key(install: Installed, *, at: datetime | None = None, **changes: Any) -> PageKey:
    return PageKey(
        install_id=changes.get("other", install.id), version="1.0.0", page="contact", nonce="n" * 12, again=False,
        surface="frame", place="", referrer="", issued_at=(at or utcnow()).replace(microsecond=0),
    )  # fmt: skip


def test_a_key_is_bound_to_install_page_and_version(visitor: Visitor, enquiries: Installed, config: Config) -> None:
    key = read_key(config.secret_keys, visitor.key(enquiries), now=datetime.now(UTC))
    assert key is not None
    assert (key.install_id, key.page, key.version) == (enquiries.id, "contact", enquiries.context.version)
    assert (key.surface, key.place, key.again) == ("frame", "shop.example", False)
