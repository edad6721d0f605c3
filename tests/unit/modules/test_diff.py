"""What changed between two versions, and the least version number it allows."""

from __future__ import annotations

import pytest

from app.modules.diff import ManifestDiff, check_bump, diff_manifests, least_version
from app.modules.manifest import load_manifest
from tests.unit.modules.examples import MANIFEST


def diff(*replacements: tuple[str, str]) -> ManifestDiff:
    """The changes after replacing text of the example; each must be there."""
    text = MANIFEST
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    return diff_manifests(load_manifest(MANIFEST), load_manifest(text))


NAME = "      name: {type: text, required: true, max: 160, search: true}\n"
CHANGES: dict[str, tuple[list[tuple[str, str]], list[tuple[str, str, str, str]]]] = {
    "nothing": ([], []),
    "summary": ([("and the people", "and people")], [("listing_changed", "summary", "the summary changed", "patch")]),
    "price": ([("amount: 1900", "amount: 2900")], [("pricing_changed", "pricing", "the prices changed", "minor")]),
    "table added": (
        [("tables:\n", "tables:\n  notes: {fields: {body: {type: text}}}\n")],
        [
            ("table_added", "tables.notes", 'the table "notes" is new', "minor"),
            *(
                ("event_added", f"events.note.{what}", f'the event "note.{what}" is new', "minor")
                for what in ("created", "deleted", "updated")
            ),
        ],
    ),
    "field added": (
        [(NAME, NAME + "      source: {type: text}\n")],
        [("field_added", "tables.deals.fields.source", 'the field "source" of deals is new', "minor")],
    ),
    "required field added": (
        [(NAME, NAME + "      source: {type: text, required: true}\n")],
        [
            (
                "required_field_added",
                "tables.deals.fields.source",
                'the field "source" of deals is new and required, with no default',
                "major",
            )
        ],
    ),
    "required field with default added": (
        [(NAME, NAME + "      source: {type: text, required: true, default: web}\n")],
        [("field_added", "tables.deals.fields.source", 'the field "source" of deals is new', "minor")],
    ),
    "field removed": (
        [("      tags: {type: tags}\n", "")],
        [("field_removed", "tables.deals.fields.tags", 'the field "tags" of deals is gone', "major")],
    ),
    "field renamed": (
        [("      tags: {type: tags}\n", "      labels: {type: tags, was: tags}\n")],
        [("field_renamed", "tables.deals.fields.labels", 'the field "tags" of deals is now "labels"', "major")],
    ),
    "field widened": (
        [("required: true, max: 160", "max: 200")],
        [
            ("field_widened", "tables.deals.fields.name", '"name" of deals is wider: it may be empty', "minor"),
            ("field_widened", "tables.deals.fields.name", '"name" of deals is wider: no longer max 160', "minor"),
        ],
    ),
    "field narrowed": (
        [("max: 160", "max: 100")],
        [("field_narrowed", "tables.deals.fields.name", '"name" of deals is narrower: max 100', "major")],
    ),
    "required added": (
        [("closed_at: {type: datetime}", "closed_at: {type: datetime, required: true}")],
        [("required_added", "tables.deals.fields.closed_at", '"closed_at" of deals is narrower: it is required now', "major")],
    ),
    "type changed": (
        [("closed_at: {type: datetime}", "closed_at: {type: date}")],
        [("field_narrowed", "tables.deals.fields.closed_at", '"closed_at" of deals was datetime and is date', "major")],
    ),
    "option added": (
        [("open, won, lost], default", "open, won, lost, dead], default"), ("lost: [open]}", "lost: [open], dead: []}")],
        [("field_widened", "tables.deals.fields.status", '"status" of deals is wider: new options dead', "minor"),
         ("rule_removed", "tables.deals.states", "deals has new moves between states", "minor")],
    ),
    "option removed": (
        [
            ("open, won, lost], default", "open, won], default"),
            ("{open: [won, lost], won: [open], lost: [open]}", "{open: [won], won: [open]}"),
        ],
        [
            ("field_narrowed", "tables.deals.fields.status", '"status" of deals is narrower: options lost', "major"),
            ("rule_added", "tables.deals.states", "deals lost moves between states", "major"),
        ],
    ),
    "formula changed": (
        [("probability / 100", "probability / 200")],
        [("field_changed", "tables.deals.fields.expected", '"expected" of deals changed', "minor")],
    ),
    "label changed": (
        [("closed_at: {type: datetime}", "closed_at: {type: datetime, label: Closed}")],
        [("field_changed", "tables.deals.fields.closed_at", '"closed_at" of deals changed', "patch")],
    ),
    "unique rule": (
        [("unique: [[name, contact]]", "unique: [[name, contact], [name]]")],
        [("rule_added", "tables.deals.unique", "deals has a unique rule it had not", "major")],
    ),
    "check removed": (
        [("    check: [{when: {status: won}, require: [closed_at]}]\n", "")],
        [("rule_removed", "tables.deals.check", "deals lost a check", "minor")],
    ),
    "access": (
        [("api: [read, create]", "api: [read, delete]")],
        [
            ("right_removed", "tables.deals.access.api", "api of deals may no longer create", "major"),
            ("right_added", "tables.deals.access.api", "api of deals may delete", "minor"),
        ],
    ),
    "event removed": (
        [("events: [deal.won, form", "events: [form")],
        [("event_removed", "events.deal.won", 'the event "deal.won" is gone', "major")],
    ),
    "route removed": (
        [("file: quote.js, route: {method: POST, path: /quote, auth: public, rate: 30/min}", "file: quote.js")],
        [("route_removed", "functions.quote.route", "the route POST /quote is gone", "major")],
    ),
    "route narrowed": (
        [("auth: public, rate: 30/min", "auth: api, rate: 10/min")],
        [
            ("route_narrowed", "functions.quote.route", "the route POST /quote is for api instead of public", "major"),
            ("route_narrowed", "functions.quote.route", "the route POST /quote allows 10/min instead of 30/min", "major"),
        ],
    ),
    "route widened": (
        [("rate: 30/min", "rate: 1/s")],
        [("route_widened", "functions.quote.route", "the route POST /quote allows 1/s instead of 30/min", "minor")],
    ),
    "function changed": (
        [("limits: {ms: 200}", "limits: {ms: 300}")],
        [("function_changed", "functions.capture", 'the function "capture" changed', "patch")],
    ),
    "scope added": (
        [("scopes: [records:read]", "scopes: [records:read, mail:send]")],
        [("permission_added", "permissions.scopes.mail:send", "asks for mail:send", "major")],
    ),
    "optional scope added": (
        [("scopes: [records:read]", "scopes: [records:read]\n  optional_scopes: [mail:send]")],
        [("optional_scope_added", "permissions.optional_scopes.mail:send", "may ask for mail:send", "minor")],
    ),
    "host added": (
        [("api.example.com, methods: [GET, POST]", "api.example.org, methods: [GET]")],
        [
            ("permission_added", "permissions.network.api.example.org.GET", "asks for GET to api.example.org", "major"),
            ("permission_removed", "permissions.network.api.example.com.GET",
             "no longer asks for GET to api.example.com", "major"),
            ("permission_removed", "permissions.network.api.example.com.POST",
             "no longer asks for POST to api.example.com", "major"),
        ],
    ),
    "foreign field added": (
        [("fields: [starts_at], access", "fields: [starts_at, ends_at], access")],
        [("permission_added", "permissions.tables.booking.slots.ends_at.read",
          "asks for read of slots.ends_at of booking", "major")],
    ),
    "module needed": (
        [(", optional: true}", "}")],
        [("requirement_added", "requires.booking", 'needs the module "booking"', "major")],
    ),
    "page narrowed": (
        [("modes: [iframe, popup]", "modes: [iframe]")],
        [
            ("page_changed", "pages.contact-form", 'the page "contact-form" changed', "patch"),
            ("page_narrowed", "pages.contact-form.modes", 'the page "contact-form" has no popup any more', "major"),
        ],
    ),
    "setting added": (
        [("      deposit: {", "      color: {type: color}\n      deposit: {")],
        [("setting_added", "settings.color", 'the setting "color" is new', "minor")],
    ),
    "required setting added": (
        [("      deposit: {", "      color: {type: color, required: true}\n      deposit: {")],
        [("setting_added", "settings.color", 'the setting "color" is new and required, with no default', "major")],
    ),
    "setting removed": (
        [("      api_key: {type: secret, test: capture}\n", "")],
        [("setting_removed", "settings.api_key", 'the setting "api_key" is gone', "major")],
    ),
    "role narrowed": (
        [("contacts: [read]}, rows", "contacts: []}, rows")],
        [
            ("role_changed", "roles.agent", 'the role "agent" changed', "patch"),
            ("right_removed", "roles.agent.tables.contacts", "agent on contacts may no longer read", "major"),
        ],
    ),
    "view": (
        [("filters: [status], sort", "filters: [stage], sort")],
        [("view_changed", "views.deals", 'the view "deals" changed', "patch")],
    ),
    "menu": (
        [("menu: [home, pipeline", "menu: [pipeline, home")],
        [("menu_changed", "menu", "the menu changed", "patch")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", CHANGES)
def test_a_change_is_told_in_words_with_the_least_bump(kind: str) -> None:
    replacements, expected = CHANGES[kind]

    changes = diff(*replacements).changes

    assert [(change.kind, change.path, change.sentence, change.least_bump) for change in changes] == expected


@pytest.mark.parametrize(
    ("old", "new", "kind", "bump"),
    [
        ("integer", "decimal", "field_widened", "minor"),
        ("email", "text", "field_widened", "minor"),
        ("date", "datetime", "field_widened", "minor"),
        ("decimal", "integer", "field_narrowed", "major"),
        ("text", "email", "field_narrowed", "major"),
        ("integer", "money", "field_narrowed", "major"),
    ],
)
def test_a_type_is_widened_only_when_every_old_value_fits(old: str, new: str, kind: str, bump: str) -> None:
    added = MANIFEST.replace(NAME, NAME + "      extra: {type: TYPE}\n")

    changes = diff_manifests(
        load_manifest(added.replace("TYPE", old)), load_manifest(added.replace("TYPE", new))
    ).changes

    assert [(change.kind, change.path, change.sentence, change.least_bump) for change in changes] == [
        (kind, "tables.deals.fields.extra", f'"extra" of deals was {old} and is {new}', bump)
    ]


def test_a_renamed_table_keeps_its_fields() -> None:
    old = load_manifest(MANIFEST)
    new = load_manifest(
        MANIFEST.replace("  stages: {fields", "  steps: {was: stages, label: {one: Stage, many: Stages}, fields")
        .replace("to: stages", "to: steps")
        .replace("table: stages", "table: steps")
    )

    changes = diff_manifests(old, new).of_kind("table_renamed", "table_removed", "field_removed")

    assert [(change.path, change.sentence) for change in changes] == [
        ("tables.steps", 'the table "stages" is now "steps"')
    ]


@pytest.mark.parametrize(
    ("changes", "consent"),
    [
        ([("scopes: [records:read]", "scopes: [records:read, mail:send]")], True),
        ([("methods: [GET, POST]", "methods: [GET, POST, DELETE]")], True),
        ([("scopes: [records:read]", "scopes: []")], False),
        ([("      tags: {type: tags}\n", "")], False),
    ],
)
def test_asking_for_more_needs_consent_again(changes: list[tuple[str, str]], consent: bool) -> None:
    assert diff(*changes).needs_consent is consent


PATCH = [("and the people", "and people")]
MINOR = [("amount: 1900", "amount: 2900")]
MAJOR = [("      tags: {type: tags}\n", "")]


@pytest.mark.parametrize(
    ("previous", "changes", "least"),
    [
        ("1.4.0", [], "1.4.1"),
        ("1.4.0", PATCH, "1.4.1"),
        ("1.4.3", MINOR, "1.5.0"),
        ("1.4.3", MAJOR, "2.0.0"),
        ("0.3.1", MAJOR, "1.0.0"),
        ("2.0.0-beta.1", MAJOR, "2.0.0"),
    ],
)
def test_the_least_version(previous: str, changes: list[tuple[str, str]], least: str) -> None:
    assert least_version(previous, diff(*changes)) == least


@pytest.mark.parametrize(
    ("new", "changes", "reasons"),
    [
        ("1.4.1", PATCH, []),
        ("2.0.0", PATCH, []),
        ("2.0.0-rc.1", MAJOR, []),
        ("1.4.0", PATCH, ["1.4.0 is not above 1.4.0, the version before"]),
        ("1.3.9", PATCH, ["1.3.9 is not above 1.4.0, the version before"]),
        ("1.4.0-rc.1", PATCH, ["1.4.0-rc.1 is not above 1.4.0, the version before"]),
        ("1.4.1", MINOR, ["must be at least 1.5.0: the prices changed (pricing)"]),
        (
            "1.5.0",
            MAJOR + MINOR,
            ['must be at least 2.0.0: the field "tags" of deals is gone (tables.deals.fields.tags)'],
        ),
    ],
)
def test_a_version_that_is_too_low_is_refused_with_the_reasons(
    new: str, changes: list[tuple[str, str]], reasons: list[str]
) -> None:
    problems = check_bump("1.4.0", new, diff(*changes))

    assert [(problem.path, problem.message) for problem in problems] == [("version", reason) for reason in reasons]
