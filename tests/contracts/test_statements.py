"""Every list costs the same number of statements whatever its length; and every table of a module keeps sites apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text

from app.access.permissions import Role
from app.analytics import jobs as analytics_jobs
from app.analytics.writing import write_rows
from app.automations.actions import create_automation
from app.config import Config
from app.db.base import db
from app.db.pools import runtime_pool
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.fleet.queries import PAGE_SITES
from app.gateway.actions import create_key
from app.lib.clock import utcnow
from app.lib.ids import encode, uuid7
from app.oauth.actions import create_application
from app.oauth.models import Application, Grant
from app.pages.actions import create_page, publish_page
from app.pages.content import Content
from app.pages.structure import add_redirect
from app.tenancy.models import Agency, Site
from app.web import navigation
from app.webhooks.actions import create_webhook
from app.webhooks.addresses import Outside
from app.webhooks.setup import Setup
from tests.support.browser import Browser
from tests.support.domains import added_domain
from tests.support.everything import Everything, make_everything
from tests.support.installed import put_on_site
from tests.support.packages import notes
from tests.support.publishing import new_slug, released
from tests.support.statements import Statements
from tests.support.world import Person, World

MOST = 12
MODULE = """
manifest: 1
slug: lists
name: Lists
summary: One list.
version: 1.0.0
type: app
tables:
  things:
    label: {one: Thing, many: Things}
    fields:
      name: {type: text, required: true, max: 80, search: true}
      kind: {type: ref, to: kinds}
      size: {type: integer, default: 3}
      above: {type: ref, to: things, on_delete: set_null}
      day: {type: date}
    access: {public: [], staff: [read, create, update, delete], api: [read]}
  kinds:
    label: {one: Kind, many: Kinds}
    fields:
      name: {type: text, required: true}
views:
  things: {type: list, table: things, columns: [name]}
  board: {type: board, table: things, by: kind, card: [name, kind, size], sum: size, filters: [kind]}
  tree: {type: tree, table: things, parent: above, card: [name, kind]}
  plan: {type: timeline, table: things, from: day, by: kind, card: [name]}
menu: [things, board, tree, plan]
"""


@dataclass
class Place:
    """An agency in which rows are made one after the other."""

    world: World
    config: Config
    agency: Agency
    ada: Person
    site: Site

    def add_site(self) -> None:
        self.world.site(self.agency)

    def add_client(self) -> None:
        self.world.client(self.agency)

    def add_member(self) -> None:
        self.world.person(self.agency, Role.MEMBER)

    def add_key(self) -> None:
        with tenant_scope(self.agency.id, user_id=self.ada.id), transaction(db.session()) as session:
            create_key(
                session, site=session.get_one(Site, self.site.id), install_id=None, name="Till", kind="secret",
                scopes=["read"], by=self.ada.actor, now=utcnow(),
            )  # fmt: skip

    def add_application(self) -> Application:
        with tenant_scope(self.agency.id, user_id=self.ada.id), transaction(db.session()) as session:
            return create_application(
                session, name="Ledger", kind="public", redirect_uris=["https://ledger.example/back"], scopes=["read"],
                refresh=True, by=self.ada.actor, now=utcnow(),
            ).application  # fmt: skip

    def add_grant(self) -> None:
        application = self.add_application()
        with tenant_scope(self.agency.id, user_id=self.ada.id), transaction(db.session()) as session:
            session.add(
                Grant(
                    id=uuid7(), agency_id=self.agency.id, site_id=self.site.id, client_id=application.id, user_id=self.ada.id,
                    scopes=["read"], created_at=utcnow(), expires_at=utcnow() + timedelta(days=1),
                )
            )  # fmt: skip

    def add_module(self) -> None:
        released(self.ada, notes(new_slug()))

    def add_webhook(self) -> None:
        setup = Setup(self.config.secret_keys, self.config.platform_url, Outside(development=True))
        with tenant_scope(self.agency.id, user_id=self.ada.id), transaction(db.session()) as session:
            create_webhook(
                session, site=session.get_one(Site, self.site.id), url="https://hooks.example.com/in", description="",
                patterns=["deal.*"], headers={}, by=self.ada.actor, setup=setup, now=utcnow(),
            )  # fmt: skip

    def add_domain(self) -> None:
        added_domain(self.site, f"{new_slug('shop')}.com")

    def add_page(self) -> None:
        with tenant_scope(self.agency.id, user_id=self.ada.id), transaction(db.session()) as session:
            site = session.get_one(Site, self.site.id)
            path = f"/{new_slug()}"
            page = create_page(
                session, site=site, content=Content(title="Hours"), path=path, by=self.ada.actor, now=utcnow()
            )
            publish_page(session, page=page, by=self.ada.actor, now=utcnow())
            add_redirect(session, site=site, source=f"/old{path}", target=path, by=self.ada.actor)

    def add_automation(self) -> None:
        with tenant_scope(self.agency.id, user_id=self.ada.id), transaction(db.session()) as session:
            create_automation(
                session, site=None, name="Tell us", event_type="site.created", conditions="", retries=0, off_after=1,
                by=self.ada.actor, now=utcnow(),
            )  # fmt: skip

    def add_install(self) -> None:
        put_on_site(self.agency, self.world.site(self.agency), MODULE)


LISTS: dict[str, Callable[[Place], object]] = {
    "/": Place.add_site,
    "/sites": Place.add_site,
    "/clients": Place.add_client,
    "/members": Place.add_member,
    "/keys": Place.add_key,
    "/audit": Place.add_key,
    "/webhooks": Place.add_webhook,
    "/automations": Place.add_automation,
    "/applications": Place.add_application,
    "/connected-apps": Place.add_grant,
    "/domains": Place.add_domain,
    "/installs": Place.add_install,
    "/fleet": Place.add_install,
    "/fleet/automatic": Place.add_site,
    "/sites/{site}/pages": Place.add_page,
    "/sites/{site}/pages/redirects": Place.add_page,
    "/marketplace/": Place.add_module,
    "/marketplace/?q=notes&sort=new": Place.add_module,
    "/marketplace/by/{publisher}": Place.add_module,
    "/studio/": Place.add_module,
}


@pytest.fixture(autouse=True)
def counters_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sidebar's counters are learnt once a test, however long that takes."""
    monkeypatch.setattr(navigation, "COUNTS_S", 600)


@pytest.fixture
def place(world: World, config: Config) -> Place:
    agency = world.agency()
    return Place(world, config, agency, world.person(agency), world.site(agency))


@pytest.mark.parametrize("path", LISTS)
def test_a_list_costs_the_same_with_one_row_and_with_three(
    path: str, place: Place, platform_app: Flask, statements: Statements
) -> None:
    ada = Browser(platform_app, place.ada, address="10.9.2.1")
    cost = []
    add, path = LISTS[path], path.format(site=place.site.public_id, publisher=encode("agc", place.agency.id))
    add(place)
    for more in (0, 2):
        for _ in range(more):
            add(place)
        ada.get(path)  # whatever is learnt once per process is learnt
        with statements.counted() as sent:
            assert ada.get(path).status == 200
        cost.append([statement for statement in sent if not statement.startswith("SELECT set_config")])
    assert len(cost[0]) == len(cost[1]), "\n\n".join(cost[1])
    assert len(cost[1]) <= MOST, "\n\n".join(cost[1])


@pytest.mark.parametrize("name", ["things"])
def test_a_list_of_records_costs_the_same_with_one_row_and_with_three(
    name: str, place: Place, platform_app: Flask, statements: Statements
) -> None:
    installed = put_on_site(place.agency, place.site, MODULE)
    ada = Browser(platform_app, place.ada, address="10.9.2.2")
    path = f"/installs/{installed.public_id}/records/{name}"
    cost = []
    installed.add("things", name="One")
    for more in (0, 2):
        for number in range(more):
            installed.add("things", name=f"More {number}")
        ada.get(path)
        with statements.counted() as sent:
            page = ada.get(path)
        assert (page.status, len(page.html.select("main table tbody tr"))) == (200, 1 + more)
        cost.append([statement for statement in sent if not statement.startswith("SELECT set_config")])
    assert len(cost[0]) == len(cost[1])
    assert len(cost[1]) <= MOST, "\n\n".join(cost[1])


FIGURES = """
manifest: 1
slug: board
name: Board
summary: Figures.
version: 1.0.0
type: app
tables:
  steps: {fields: {name: {type: text, required: true}}}
  things:
    fields: {name: {type: text, required: true}, price: {type: money}, step: {type: ref, to: steps, on_delete: set_null}}
views:
  home:
    type: dashboard
    cards:
      - {number: avg(price * 2), of: things}
      - {line: count, of: things, by: created_at/week}
      - {bar: sum(price), of: things, by: step}
      - {list: [name, step], of: things}
      - {table: [name, step], of: things}
      - {funnel: step, of: things}
"""


def test_a_dashboard_of_a_module_costs_the_same_with_one_record_and_with_three(
    place: Place, platform_app: Flask, statements: Statements
) -> None:
    installed = put_on_site(place.agency, place.site, FIGURES)
    ada = Browser(platform_app, place.ada, address="10.9.2.4")
    path = f"/installs/{installed.public_id}/records/home"
    cost = []
    for more in (1, 2):
        for number in range(more):
            step = installed.add("steps", name=f"Step {number}")
            installed.add("things", name=f"Thing {number}", price=100, step=step["id"])
        page = ada.get(path)
        assert (page.status, len(page.html.select("#card-5 tbody tr"))) == (200, more if more == 1 else 3)
        with statements.of_modules() as own:
            cost.append((_cost(ada, statements, path), len(own) // 2))  # _cost() asks twice
    # one statement a card, the steps of the funnel, the titles of what the bars stand for
    assert cost[0] == cost[1] == (cost[0][0], 6 + 1 + 1)


def test_a_board_costs_the_same_with_one_column_and_card_and_with_many(
    place: Place, platform_app: Flask, statements: Statements
) -> None:
    installed = put_on_site(place.agency, place.site, MODULE)
    ada = Browser(platform_app, place.ada, address="10.9.2.5")
    path = f"/installs/{installed.public_id}/records/board"
    cost = []
    installed.add("things", name="Of no kind")
    for columns in (1, 5):
        for number in range(columns):
            kind = installed.add("kinds", name=f"Kind {number}")
            for card in range(columns):
                installed.add("things", name=f"Thing {card}", kind=kind["id"])
        ada.get(path)
        with statements.counted() as sent, statements.of_modules() as asked:
            assert ada.get(path).status == 200
        cost.append(len([one for one in sent if not one.startswith("SELECT set_config")]))
        # the columns and the filter's options, what is counted and added up, the cards, those of no kind
        assert len(asked) == 5, "\n\n".join(asked)
    assert cost[0] == cost[1] <= MOST


def test_a_tree_costs_the_same_with_one_record_and_with_many(
    place: Place, platform_app: Flask, statements: Statements
) -> None:
    installed = put_on_site(place.agency, place.site, MODULE)
    ada = Browser(platform_app, place.ada, address="10.9.2.6")
    path = f"/installs/{installed.public_id}/records/tree"
    cost, opened = [], ""
    for records in (1, 5):
        above = None
        for number in range(records):
            kind = installed.add("kinds", name=f"Kind {number}")
            above = installed.add("things", name=f"Thing {number}", kind=kind["id"], above=above)["id"]
            installed.add("things", name=f"Beside {number}", above=above)
            opened += f"&open={above}"
        with statements.of_modules() as asked:
            cost.append((_cost(ada, statements, f"{path}?{opened}"), len(asked) // 2))  # _cost() asks twice
    assert cost[0] == cost[1] == (cost[0][0], 4)  # the tops, how many, what is open, what is below each


def test_a_timeline_costs_the_same_with_one_record_and_with_many(
    place: Place, platform_app: Flask, statements: Statements
) -> None:
    installed = put_on_site(place.agency, place.site, MODULE)
    ada = Browser(platform_app, place.ada, address="10.9.2.7")
    path, cost = f"/installs/{installed.public_id}/records/plan?day=2026-11-30", []
    for records in (1, 5):
        for number in range(records):
            kind = installed.add("kinds", name=f"Kind {number}")
            installed.add("things", name=f"Thing {number}", kind=kind["id"], day="2026-11-30")
        with statements.of_modules() as asked:
            cost.append((_cost(ada, statements, path), len(asked) // 2))  # _cost() asks twice
    # those of the period, how many, in which groups; those without a day, how many
    assert cost[0] == cost[1] == (cost[0][0], 5)


def _cost(ada: Browser, statements: Statements, path: str) -> int:
    ada.get(path)  # whatever is learnt once per process, or kept for a while, is
    with statements.counted() as sent:
        assert ada.get(path).status == 200
    found = [statement for statement in sent if not statement.startswith("SELECT set_config")]
    assert len(found) <= MOST, "\n\n".join(found)
    return len(found)


DASHBOARDS = (
    "/analytics", "/analytics?module={module}", "/analytics?device=phone", "/sites/{site}/analytics?range=24h",
    "/installs/{install}/analytics?range=90d", "/studio/modules/{module}/analytics",
)  # fmt: skip
KINDS = ("view", "click", "custom", "error", "upgraded")


def test_a_dashboard_costs_the_same_with_one_event_and_with_a_thousand(
    place: Place, platform_app: Flask, statements: Statements
) -> None:
    install = put_on_site(place.agency, place.site, MODULE).install
    ada = Browser(platform_app, place.ada, address="10.9.2.3")
    names = {
        "site": place.site.public_id, "install": install.public_id, "module": encode("mod", install.module_id),
    }  # fmt: skip
    with platform_scope("test"), transaction(db.session()) as session:
        session.execute(text("SELECT analytics_partitions(40, 7, 90)"))

    def count(numbers: range) -> None:
        rows = [
            (
                utcnow() - timedelta(days=number % 30, minutes=number % 60), place.agency.id, place.site.id, install.id,
                install.module_id, KINDS[number % 5], f"name.{number}", f"1.{number % 40}.0", f"page-{number % 200}",
                None, number, 0, "frame", f"h{number}.example", f"r{number}.example", "pt", "PT", "phone",
                "Firefox", "Android",
            )
            for number in numbers
        ]  # fmt: skip
        with runtime_pool().connection() as connection:
            write_rows(connection, rows)
        analytics_jobs.sum_up()

    count(range(1))
    few = [_cost(ada, statements, path.format(**names)) for path in DASHBOARDS]
    count(range(1, 1000))
    assert [_cost(ada, statements, path.format(**names)) for path in DASHBOARDS] == few


FLEET = ("/fleet", "/fleet?drift=behind", "/fleet/modules/{slug}", "/fleet.csv")


def test_the_fleet_costs_the_same_with_one_install_and_with_a_thousand(
    place: Place, platform_app: Flask, statements: Statements
) -> None:
    install = put_on_site(place.agency, place.site, MODULE).install
    ada = Browser(platform_app, place.ada, address="10.9.2.4")
    with platform_scope("test"), transaction(db.session()) as session:
        slug = session.scalar(text("SELECT slug FROM module_source WHERE id = :module"), {"module": install.module_id})
    few = [_cost(ada, statements, path.format(slug=slug)) for path in FLEET]
    with platform_scope("test"), transaction(db.session()) as session:
        session.execute(
            text(
                "WITH made AS (INSERT INTO sites (id, agency_id, client_id, name, slug, time_zone) "
                " SELECT uuidv7(), agency_id, client_id, 'Site ' || n, 'site-' || n, time_zone"
                " FROM sites, generate_series(2, 1000) n "
                " WHERE id = :site RETURNING id) "
                "INSERT INTO modules_v2 (agency_id, site_id, module_id, version_id, status) "
                "SELECT :agency, id, :module, :version, 'active' FROM made"
            ),
            {
                "site": place.site.id,
                "agency": place.agency.id,
                "module": install.module_id,
                "version": install.version_id,
            },
        )
    assert [_cost(ada, statements, path.format(slug=slug)) for path in FLEET] == few
    assert len(ada.get("/fleet").html.select("main table tbody tr")) == PAGE_SITES
    assert len(ada.get("/fleet.csv").text.splitlines()) == 1 + 1000


def test_every_table_of_an_installed_module_forces_row_level_security(
    world: World, config: Config, platform_app: Flask
) -> None:
    everything: Everything = make_everything(world, config, platform_app)
    with psycopg.connect(config.database_url, autocommit=True) as owner:
        found = owner.execute(
            "SELECT schema_name FROM module_database_registry WHERE module_id = %s", [everything.install.module_id]
        ).fetchone()
        assert found is not None
        schema = found[0]
        tables = owner.execute(
            "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity, "
            "(SELECT array_agg(p.polcmd::text ORDER BY p.polcmd) FROM pg_policy p WHERE p.polrelid = c.oid) IS NOT NULL "
            "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relkind IN ('r', 'p')",
            [schema],
        ).fetchall()
        unkeyed = owner.execute(
            "SELECT k.conname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid "
            "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND k.contype = 'f' "
            "AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = k.conrelid AND a.attname = 'site_id' "
            "AND a.attnum = ANY (k.conkey))",
            [schema],
        ).fetchall()
    assert {name for name, _, _ in tables} == {"folders", "notes", "_series", "_history"}
    assert {name for name, forced, policed in tables if not (forced and policed)} == set()
    assert unkeyed == []  # a reference without the site could point into another one's rows
