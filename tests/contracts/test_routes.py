"""The routes there are, who may call them, and that looking changes nothing."""

from __future__ import annotations

import psycopg
import pytest
from flask import Flask
from psycopg import sql

from app.cli.commands import route_lines
from app.config import Config
from app.web.dispatch import API_PATHS
from app.web.guard import UndeclaredAccess, protect
from tests.support.browser import Browser, Page
from tests.support.everything import Everything, make_everything, member_routes
from tests.support.pages import page_faults
from tests.support.routes import SNAPSHOT
from tests.support.servers import TestServers
from tests.support.world import World

# What looking may write: when a session was last used.
MAY_CHANGE = {"public.user_sessions"}


@pytest.fixture(scope="module")
def surfaces(platform_app: Flask, api_app: Flask, runtime_app: Flask) -> tuple[Flask, ...]:
    return platform_app, api_app, runtime_app


def test_the_routes_are_those_of_the_snapshot(surfaces: tuple[Flask, ...]) -> None:
    """After a change that is meant: `python -m tests.support.routes`, and read the difference."""
    assert list(route_lines(*surfaces)) == SNAPSHOT.read_text().splitlines()


def test_every_route_of_every_surface_declares_who_may_call_it(surfaces: tuple[Flask, ...]) -> None:
    undeclared = {
        (app.name, rule.rule)
        for app in surfaces
        for rule in app.url_map.iter_rules()
        if rule.endpoint not in app.extensions["access"]
    }
    assert undeclared == set()


def test_the_dispatcher_knows_every_path_of_the_api_and_none_of_the_platform(
    platform_app: Flask, api_app: Flask
) -> None:
    lost = [rule.rule for rule in api_app.url_map.iter_rules() if not rule.rule.startswith(API_PATHS)]
    taken = [rule.rule for rule in platform_app.url_map.iter_rules() if rule.rule.startswith(API_PATHS)]
    assert (lost, taken) == ([], [])


def test_an_application_with_an_undeclared_route_does_not_start() -> None:
    app = Flask("platform")
    app.add_url_rule("/open", "open", lambda: "anybody")
    with pytest.raises(UndeclaredAccess, match="open"):
        protect(app)


def test_routes_that_change_something_are_never_reached_by_get(surfaces: tuple[Flask, ...]) -> None:
    """Names of actions stand in addresses that are posted to; a link or a prefetch must not do them."""
    words = ("archive", "restore", "remove", "revoke", "delete", "publish", "yank", "pause", "resume", "sign-out")
    got = {
        rule.rule
        for app in surfaces
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and rule.rule.rpartition("/")[2] in words
    }
    assert got == set()


@pytest.fixture
def everything(world: World, config: Config, platform_app: Flask) -> Everything:
    return make_everything(world, config, platform_app)


@pytest.mark.timeout(300)  # every page there is: on a busy machine that takes its time
def test_looking_at_every_page_changes_nothing_and_every_page_is_sound(
    platform_app: Flask,
    everything: Everything,
    test_servers: TestServers,
    worker_id: str,
) -> None:
    ada = Browser(platform_app, everything.ada, address="10.9.8.7")
    ada.get("/")
    addresses = [everything.path(rule) for rule, method, _ in member_routes(platform_app) if method == "GET"]
    addresses += ["/account", "/no-agency", "/sign-in", "/forgot-password"]
    faults = {}
    with psycopg.connect(test_servers.admin_url(worker_id), autocommit=True) as admin:
        before = _contents(admin)
        for address in (one for one in addresses if not one.endswith(".csv")):  # those are told to the audit trail
            page = ada.get(address)
            head = ada.client.head(address)
            assert (head.status_code, page.status) == (page.status, page.status), address
            assert page.status < 400, f"{address}: {page.status}\n{page.text[:800]}"
            if found := _faults(page, platform_app):
                faults[address] = found
        after = _contents(admin)
        exports = [ada.get(address).status for address in addresses if address.endswith(".csv")]
    assert {name for name in after if before.get(name) != after[name]} - MAY_CHANGE == set()
    assert faults == {}
    assert set(exports) == {200}


def _faults(page: Page, app: Flask) -> list[str]:
    is_html = page.headers.get("Content-Type", "").startswith("text/html") and page.status == 200
    return page_faults(page.text, app) if is_html else []


def _contents(admin: psycopg.Connection) -> dict[str, str]:
    """{schema.table: a digest of all its rows}, modules' tables included."""
    tables = admin.execute(
        "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relkind = 'r' AND n.nspname !~ '^(pg_|information_schema)' ORDER BY 1, 2"
    ).fetchall()
    found = {}
    for schema, table in tables:
        digest = admin.execute(
            sql.SQL("SELECT md5(coalesce(string_agg(t::text, E'\\n' ORDER BY t::text), '')) FROM {} t").format(
                sql.Identifier(schema, table)
            )
        ).fetchone()
        assert digest is not None
        found[f"{schema}.{table}"] = digest[0]
    return found
