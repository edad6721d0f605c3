"""What the plan of an upgrade says, against an install with rows."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text

from app.installs import jobs
from app.installs.models import Install
from app.installs.upgrades import upgrade_install
from app.lib.clock import utcnow
from app.modules.models import Version
from app.rollouts.plan import UpgradePlan, make_plan
from tests.support.publishing import new_slug
from tests.unit.installs.conftest import Desk
from tests.unit.rollouts.conftest import publish_text

OLD = "phone: {type: phone}\n      note: {type: text, max: 200}\n      mood: {type: enum, options: [good, bad, odd]}"
NEW = (
    "remark: {type: text, max: 5, was: note}\n      mood: {type: enum, options: [good, bad]}\n"
    "      floor: {type: integer, required: true}\n      tag: {type: text}"
)


def rows(desk: Desk, version: Version, *values: str) -> None:
    for value in values:
        desk.rows(version, f"INSERT INTO guests (site_id, name, phone, note, mood) VALUES (current_site_id(), {value})")


def planned(desk: Desk, install: Install, version: Version, **more: object) -> UpgradePlan:
    with desk.scope() as session:
        return make_plan(
            session, install=session.get_one(Install, install.id), version=session.get_one(Version, version.id),
            now=utcnow(), **more,
        )  # type: ignore[arg-type]  # fmt: skip


@pytest.fixture
def waiting(desk: Desk) -> tuple[Install, Version]:
    """An install with three rows, and a major version after it."""
    old = desk.publish(fields=OLD, head="permissions: {email: true}")
    install = desk.install(old)
    other = desk.install(old, site=desk.world.site(desk.agency))
    rows(
        desk,
        old,
        "'Ann', '+351210000001', 'window seat', 'good'",
        "'Bea', NULL, 'hi', 'odd'",
        "'Cem', NULL, NULL, NULL",
    )
    desk.rows(
        old, "INSERT INTO guests (site_id, name, phone) VALUES (current_site_id(), 'Dan', '+351210000002')",
        site_id=other.site_id,
    )  # fmt: skip
    head = "permissions: {network: [{host: api.example.com, methods: [GET], reason: Rates}]}"
    return install, desk.publish(desk.slug(old), version="2.0.0", fields=NEW, head=head)


def test_fields_are_told_by_what_becomes_of_them_with_the_rows_of_this_site(
    desk: Desk, waiting: tuple[Install, Version]
) -> None:
    plan = planned(desk, *waiting)
    [guests] = plan.tables
    told = {(one.name, one.kind): (one.rows, one.against) for one in guests.fields}
    assert (plan.bump, guests.kind, guests.rows) == ("major", "changed", 3)
    assert told == {
        ("phone", "parked"): (1, False),
        ("remark", "renamed"): (None, False),
        ("remark", "narrowed"): (1, True),  # "window seat" is longer than 5
        ("mood", "narrowed"): (1, True),
        ("floor", "added"): (3, True),
        ("tag", "added"): (None, False),
    }


def test_losses_say_how_many_rows_have_a_value_and_a_used_option_has_to_wait(
    desk: Desk, waiting: tuple[Install, Version]
) -> None:
    plan = planned(desk, *waiting)
    assert [(one.sentence, one.rows, one.blocks) for one in plan.losses] == [
        ('the field "guests.phone" and its values would go', 1, False),
        ('the option "odd" of "guests.mood" would go', 1, True),
    ]
    assert plan.blocks == (
        'The option "odd" of "guests.mood" would go, and 1 record uses it. Give them another value first.',
    )


def test_permissions_come_with_the_last_use_of_what_goes(desk: Desk, waiting: tuple[Install, Version]) -> None:
    install, version = waiting
    before = planned(desk, install, version)
    with desk.scope() as session:
        session.execute(
            text(
                "INSERT INTO mails (agency_id, site_id, install_id, kind, recipient, subject)"
                " VALUES (:agency, :site, :install, 'module', 'x@example.test', 'Hi')"
            ),
            {"agency": install.agency_id, "site": install.site_id, "install": install.id},
        )
    after = planned(desk, install, version)
    told = [(one.added, one.sentence, one.use.at is not None, one.use.known) for one in before.permissions]
    assert told == [
        (True, "asks for GET to api.example.com", False, False),
        (False, "no longer asks for sending e-mail", False, True),
    ]
    assert [one.use.at is not None for one in after.permissions] == [False, True]
    assert after.needs_consent


def test_a_setting_without_a_value_is_to_be_filled_in(desk: Desk) -> None:
    old = desk.publish()
    install = desk.install(old)
    head = "settings: [{label: Mail, fields: {greeting: {type: text, required: true}, loud: {type: boolean}}}]"
    new = desk.publish(desk.slug(old), version="2.0.0", head=head)
    plan = planned(desk, install, new)
    assert [(one.name, one.kind, one.fill) for one in plan.settings] == [
        ("greeting", "added", True), ("loud", "added", False),
    ]  # fmt: skip
    assert planned(desk, install, new, settings={"greeting": "Hello"}).to_fill == frozenset()


SHELF = """
manifest: 1
slug: {slug}
name: Shelf
summary: Things on a shelf.
version: {version}
type: app
tables:
"""
BOOKS = "  books: {label: {one: Book, many: Books}, fields: {title: {type: text}}}\n"
TITLES = "  titles: {was: books, fields: {title: {type: text}, tags: {type: refs, to: titles}}}\n"
LOANS = "  loans: {fields: {who: {type: text}}}\n"


def test_tables_that_are_new_are_renamed_or_go(desk: Desk) -> None:
    slug = new_slug("shelf")
    install = desk.install(publish_text(desk, SHELF.format(slug=slug, version="1.0.0") + BOOKS + LOANS))
    new = publish_text(
        desk, SHELF.format(slug=slug, version="2.0.0") + TITLES + "  places: {fields: {name: {type: text}}}\n"
    )
    plan = planned(desk, install, new)
    assert [(one.name, one.kind, one.rows) for one in plan.tables] == [
        ("titles", "renamed", 0), ("places", "added", 0), ("loans", "parked", 0),
    ]  # fmt: skip
    back = desk.run(jobs.provision, desk.do(upgrade_install, install, version=new, lose=True, now=utcnow()))
    assert back.version_id == new.id


def test_the_plan_is_json(desk: Desk, waiting: tuple[Install, Version]) -> None:
    made = json.loads(json.dumps(planned(desk, *waiting).to_dict()))
    assert (made["from"], made["to"], made["affected"]["records"]) == ("1.0.0", "2.0.0", 3)
    assert made["losses"][0] == {
        "sentence": 'the field "guests.phone" and its values would go', "rows": 1, "blocks": False,
    }  # fmt: skip
