"""Two majors of a module on two sites, over the same tables: each site's API, screens and pages have its own version's shape."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from app.config import Config
from app.db.base import db
from app.db.scope import tenant_scope
from app.db.session import transaction
from app.gateway.actions import create_key
from app.installs.models import Install
from app.lib.clock import utcnow
from app.tenancy.models import Agency, Site
from tests.support.publishing import installed, new_slug, released
from tests.support.world import Person, World
from tests.web.conftest import Browse, new_address

ONE = """
manifest: 1
slug: {slug}
name: Guests
summary: Guests of a house.
version: 1.0.0
type: app
tables:
  guests:
    label: {{one: Guest, many: Guests}}
    title: name
    fields:
      name: {{type: text, required: true, max: 80, search: true}}
      stars: {{type: rating}}
      state: {{type: enum, options: [new, seen], default: new}}
      phone: {{type: phone}}
    access: {{public: [read], api: [read, create, update], staff: [read, create, update]}}
views:
  guests: {{type: list, table: guests, columns: [name, stars, state, phone]}}
menu: [guests]
pages:
  list: {{template: list.html, kind: page, title: Guests, data: {{guests: {{table: guests, fields: [name, stars], sort: name}}}}}}
"""
TWO = """
manifest: 1
slug: {slug}
name: Guests
summary: Guests of a house.
version: 2.0.0
type: app
tables:
  people:
    was: guests
    label: {{one: Person, many: People}}
    title: full_name
    fields:
      full_name: {{type: text, was: name, required: true, max: 80, search: true}}
      stars: {{type: decimal, scale: 1}}
      state: {{type: enum, options: [new, seen, gone], default: new}}
      email: {{type: email, required: true}}
      phone: {{type: integer}}
    access: {{public: [read], api: [read, create, update], staff: [read, create, update]}}
views:
  people: {{type: list, table: people, columns: [full_name, stars, state, email]}}
menu: [people]
pages:
  list:
    template: list.html
    kind: page
    title: People
    data: {{people: {{table: people, fields: [full_name, email], sort: full_name}}}}
"""
PAGE_ONE = "<ul>{% for one in data.guests %}<li>{{ one.name }}: {{ one.stars }}</li>{% endfor %}</ul>"
PAGE_TWO = "<ul>{% for one in data.people %}<li>{{ one.full_name }} at {{ one.email }}</li>{% endfor %}</ul>"


class House:
    """One site with one of the versions."""

    def __init__(self, api: Flask, site: Site, install: Install, slug: str, token: str) -> None:
        self.api, self.site, self.install, self.slug, self.token = api, site, install, slug, token

    def call(self, method: str, path: str, **given: Any) -> Any:
        return self.api.test_client(use_cookies=False).open(
            f"/api/modules/{self.slug}{path}", method=method, headers={"Authorization": f"Bearer {self.token}"},
            environ_overrides={"REMOTE_ADDR": new_address()}, **given,
        )  # fmt: skip


@pytest.fixture
def ada(world: World) -> Person:
    return world.person(world.agency())


@pytest.fixture
def houses(world: World, config: Config, api_app: Flask, ada: Person) -> tuple[House, House]:
    slug, found = new_slug("guests"), []
    for manifest, page in ((ONE, PAGE_ONE), (TWO, PAGE_TWO)):
        version = released(
            ada, {"module.yaml": manifest.format(slug=slug).encode(), "templates/list.html": page.encode()}
        )
        site = world.site(Agency(id=ada.agency_id))
        install = installed(config, ada, site, version)
        with tenant_scope(ada.agency_id, user_id=ada.id), transaction(db.session()) as session:
            token = create_key(
                session, site=site, install_id=None, name="Till", kind="secret", scopes=["read", "write"], by=ada.actor,
                now=utcnow(),
            ).token  # fmt: skip
        found.append(House(api_app, site, install, slug, token))
    return found[0], found[1]


def test_each_site_has_the_shape_of_its_own_version(
    houses: tuple[House, House], ada: Person, browse: Browse, runtime_app: Flask
) -> None:
    one, two = houses
    # the API writes and reads in its own shape, and refuses the other's
    assert one.call("POST", "/guests", json={"name": "Ann", "stars": 4, "phone": "+351210000001"}).status_code == 201
    assert (
        two.call(
            "POST",
            "/people",
            json={"full_name": "Bea", "email": "bea@example.com", "stars": "4.5", "state": "gone", "phone": 7},
        ).status_code
        == 201
    )
    assert one.call("POST", "/guests", json={"name": "Cem", "state": "gone"}).status_code == 422
    assert one.call("POST", "/guests", json={"name": "Cem", "stars": 9}).status_code == 422
    assert two.call("POST", "/people", json={"full_name": "Cem"}).status_code == 422
    assert (one.call("GET", "/people").status_code, two.call("GET", "/guests").status_code) == (404, 404)
    [ann], [kept] = one.call("GET", "/guests").json["data"], two.call("GET", "/people").json["data"]
    assert {name: ann.get(name) for name in ("name", "stars", "state", "phone")} == {
        "name": "Ann", "stars": 4, "state": "new", "phone": "+351210000001",
    }  # fmt: skip
    assert {"full_name", "email"} & ann.keys() == set()
    assert {name: kept.get(name) for name in ("full_name", "stars", "state", "email", "phone")} == {
        "full_name": "Bea", "stars": 4.5, "state": "gone", "email": "bea@example.com", "phone": 7,
    }  # fmt: skip
    assert one.call("PATCH", f"/guests/{ann['id']}", json={"stars": 5}).json["data"]["stars"] == 5
    # so do the screens
    browser = browse(ada)
    heads = [
        browser.get(f"/installs/{house.install.public_id}/records/{name}").texts("thead th")
        for house, name in ((one, "guests"), (two, "people"))
    ]
    assert [["Name" in head, "Full name" in head, "Email" in head] for head in heads] == [
        [True, False, False], [False, True, True],
    ]  # fmt: skip
    # and the pages
    shown = [
        runtime_app.test_client(use_cookies=False)
        .get(
            f"/embed/{house.install.public_id}/list", base_url="http://127.0.0.1:8001",
            environ_base={"REMOTE_ADDR": new_address()},
        )
        .text
        for house in houses
    ]  # fmt: skip
    assert ["Ann: 5" in shown[0], "bea@example.com" in shown[0]] == [True, False]
    assert ["Bea at bea@example.com" in shown[1], "Ann" in shown[1]] == [True, False]
