"""A practice with bookings, and a release of its module that drops a column, fails on every third request and asks for more."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import psycopg
from flask import Flask
from psycopg import sql

from app.config import Config
from app.db.base import db
from app.db.scope import tenant_scope
from app.db.session import transaction
from app.gateway.actions import create_key
from app.installs.jobs import provision
from app.installs.models import Install
from app.lib.clock import utcnow
from app.modules.models import Version
from app.runtime.context import forget_install, load_install
from app.runtime.functions.account import flush_runs
from app.tenancy.models import Agency, Site
from tests.support.publishing import installed, new_slug, released
from tests.support.world import Person, World
from tests.web.conftest import new_address

GOOD = """
manifest: 1
slug: {slug}
name: Bookings
summary: Bookings of a practice.
version: 1.0.0
type: app
tables:
  bookings:
    label: {{one: Booking, many: Bookings}}
    fields:
      name: {{type: text, required: true, max: 80}}
      phone: {{type: phone}}
      seats: {{type: integer, default: 1}}
    access: {{api: [read, create, update, delete], staff: [read]}}
functions:
  look: {{file: look.js, route: {{method: GET, path: /look, auth: api}}}}
"""
BAD = GOOD.replace("1.0.0", "2.0.0").replace("      phone: {{type: phone}}\n", "      mood: {{type: text}}\n") + (
    "permissions: {{email: true}}\n"
)
WELL = "export default (ctx) => ({ seen: ctx.db.bookings.count({}) })"
ILL = (
    "export default (ctx, input) => { if (Number(input.query.n) % 3 === 0) throw new Error('third');"
    " return { seen: ctx.db.bookings.count({}) } }"
)


def files(manifest: str, slug: str, code: str) -> dict[str, bytes]:
    return {"module.yaml": manifest.format(slug=slug).encode(), "functions/look.js": code.encode()}


@dataclass
class Practice:
    """An install with records and a program that calls it."""

    ada: Person
    site: Site
    install: Install
    good: Version
    bad: Version
    slug: str
    token: str
    api: Flask
    config: Config

    def call(self, method: str, path: str, **given: Any) -> Any:
        return self.api.test_client(use_cookies=False).open(
            f"/api/modules/{self.slug}{path}", method=method, headers={"Authorization": f"Bearer {self.token}"},
            environ_overrides={"REMOTE_ADDR": new_address()}, **given,
        )  # fmt: skip

    def look(self, times: int) -> list[int]:
        found = [self.call("GET", f"/fn/look?n={n}").status_code for n in range(1, times + 1)]
        self.api.extensions["gateway"].log.flush()
        flush_runs()
        return found

    def hash(self) -> str:
        """Of everything in the site's tables that the good version sees, and of the numbers given so far."""
        schema = load_install(self.install.id).schema
        with psycopg.connect(self.config.database_url) as owner:
            owner.execute("SELECT set_config('app.site_id', %s, true)", [str(self.site.id)])
            rows = owner.execute(
                sql.SQL("SELECT to_jsonb(t) - 'mood' FROM {} t").format(sql.Identifier(schema, "bookings"))
            ).fetchall()
        return hashlib.sha256(
            json.dumps(sorted(json.dumps(row[0], sort_keys=True) for row in rows)).encode()
        ).hexdigest()

    def stored(self) -> Install:
        with tenant_scope(self.ada.agency_id), transaction(db.session()) as session:
            return session.get_one(Install, self.install.id)

    def work(self) -> Install:
        """Run the install's job, as a worker would."""
        with tenant_scope(self.ada.agency_id):
            provision(str(self.install.id))
            db.session.remove()
        forget_install(self.install.id)
        return self.stored()

    def release(self, number: str) -> Version:
        """The good version once more, under another number."""
        return released(self.ada, files(GOOD.replace("1.0.0", number), self.slug, WELL))


def make_practice(world: World, config: Config, api: Flask) -> Practice:
    """Three bookings, two of them with a telephone number; the bad release is published."""
    ada = world.person(world.agency())
    site = world.site(Agency(id=ada.agency_id))
    slug = new_slug("practice")
    good = released(ada, files(GOOD, slug, WELL))
    install = installed(config, ada, site, good)
    with tenant_scope(ada.agency_id, user_id=ada.id), transaction(db.session()) as session:
        made = create_key(
            session, site=site, install_id=None, name="Till", kind="secret",
            scopes=["read", "write", "delete", "functions"], by=ada.actor, now=utcnow(),
        )  # fmt: skip
        token = made.token
    here = Practice(ada, site, install, good, released(ada, files(BAD, slug, ILL)), slug, token, api, config)
    for name, phone in (("Ann", "+351210000001"), ("Bea", None), ("Cem", "+351210000003")):
        assert here.call("POST", "/bookings", json={"name": name, "phone": phone}).status_code == 201
    return here
