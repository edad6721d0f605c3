"""The webhook screens: make an endpoint, see its secret, its log; send again; nothing for viewers and outsiders."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from app.access.permissions import Role
from app.accounts.passwords import hash_password
from app.config import Config
from app.db.base import db
from app.db.scope import platform_scope
from app.db.session import transaction
from app.events.catalog import CATALOG, CLIENT_CREATED
from app.events.models import AuditRow
from app.lib.clock import utcnow
from app.modules.manifest import load_manifest
from app.webhooks.catalogue import catalogue
from app.webhooks.doubts import doubts
from app.webhooks.models import Webhook
from tests.support.hooks import Hooks, receiving
from tests.support.packages import first_party
from tests.support.pages import page_faults
from tests.support.world import World
from tests.web.conftest import Browse

SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]{44}")
FORM = {
    "url": "https://hooks.example.com/in", "description": "Ledger", "site": "agency", "patterns": "site.*\nclient.created",
    "headers": "X-Env: live", "concurrency": "4", "rate_per_minute": "", "fields": "",
}  # fmt: skip
PASSWORD = "a long enough password of hers"


@pytest.fixture
def hooks(platform_app: Flask, config: Config, world: World) -> Iterator[Hooks]:
    agency = world.agency()
    ada = world.person(agency, password_hash=hash_password(PASSWORD))
    made = Hooks(platform_app, config, world, agency, ada, world.site(agency))
    yield made
    made.leave()


def stored(hooks: Hooks) -> list[Webhook]:
    with platform_scope("test"), transaction(db.session()) as session:
        return list(session.scalars(select(Webhook).where(Webhook.agency_id == hooks.agency.id)))


def audited(hooks: Hooks) -> list[str]:
    with platform_scope("test"), transaction(db.session()) as session:
        query = select(AuditRow.action).where(AuditRow.agency_id == hooks.agency.id).order_by(AuditRow.number)
        return list(session.scalars(query))


def test_a_new_endpoint_shows_its_secret(hooks: Hooks, browse: Browse) -> None:
    ada = browse(hooks.ada)
    made = ada.post("/webhooks", FORM)
    [webhook] = stored(hooks)
    assert (made.status, made.where) == (303, f"/webhooks/{webhook.public_id}/secret")
    page = ada.get(made.where or "")
    assert (page.status, page_faults(page.text, hooks.app)) == (200, [])
    assert set(SECRET.findall(page.text)) == {hooks.secret(webhook)}
    assert (webhook.url, webhook.patterns, webhook.site_id, webhook.role) == (
        FORM["url"], ["site.*", "client.created"], None, "owner",
    )  # fmt: skip
    assert audited(hooks) == ["webhook.created"]
    listed = browse(hooks.ada).get("/webhooks")
    assert listed.ids("main table tbody tr") == [webhook.public_id]
    assert SECRET.findall(listed.text + browse(hooks.ada).get(f"/webhooks/{webhook.public_id}").text) == []


def test_what_is_one_per_line_has_room_for_lines(hooks: Hooks, browse: Browse) -> None:
    page = browse(hooks.ada).get("/webhooks/new")
    assert [tag.name for tag in page.html.select("[name=patterns], [name=headers]")] == ["textarea", "textarea"]


def test_an_endpoint_of_a_site(hooks: Hooks, browse: Browse) -> None:
    assert browse(hooks.ada).post("/webhooks", {**FORM, "site": hooks.site.public_id}).status == 303
    assert [one.site_id for one in stored(hooks)] == [hooks.site.id]


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"url": ""}, "Enter the address to call."),
        ({"url": "http://hooks.example.com/"}, "Plain http works only for 127.0.0.1 and [::1], in development."),
        ({"url": "https://ada:pw@hooks.example.com/"},
         "The address may not hold spaces, control characters, \\, % or @ before its query."),
        ({"url": "https://hooks.example.com:22/"}, "Port 22 is not allowed."),
        ({"url": "https://hooks.example.com/#x"}, "The address may not have a part after #."),
        ({"url": "ftp://hooks.example.com/"}, "The address must start with https://."),
        ({"patterns": ""}, "Name at least one event."),
        ({"patterns": "Deal.*"}, "Deal.* is not an event. Write deal.won, deal.* or *."),
        ({"patterns": "*.won"}, "*.won is not an event. Write deal.won, deal.* or *."),
        ({"headers": "Authorization: x"}, "Authorization cannot be set. A header of your own begins with X-."),
        ({"headers": "Host: x"}, "Host cannot be set. A header of your own begins with X-."),
        ({"headers": "webhook-id: x"}, "webhook-id cannot be set. A header of your own begins with X-."),
        ({"headers": "X-Forwarded-For: 1"}, "X-Forwarded-For cannot be set. A header of your own begins with X-."),
        ({"headers": "X-Empty"}, "The value of X-Empty must be 1 to 1,000 ASCII characters in one line."),
        ({"headers": "X-Env: live\nX-ENV: test"}, "X-ENV stands there twice; upper and lower case are the same to a receiver."),
        ({"headers": "X-Env: live\nX-Env: test"}, "X-Env stands there twice; upper and lower case are the same to a receiver."),
        ({"url": "https://127.0.0.1/"}, "The address is not on the public internet."),
        ({"url": "https://[fd00::1]/in"}, "The address is not on the public internet."),
        ({"url": "https://169.254.169.254/latest"}, "The address is not on the public internet."),
        ({"url": "http://127.1/in"}, "Plain http works only for 127.0.0.1 and [::1], in development."),
        ({"rate_per_minute": "0"}, "Number must be between 1 and 6000."),
        ({"fields": "name id!"}, "id! is no field. Write record for all of it, record.name for one."),
        ({"concurrency": "17"}, "Number must be between 1 and 16."),
        ({"site": "ste_00000000000000000000000000"}, "Not a valid choice."),
    ],
)  # fmt: skip
def test_an_endpoint_that_makes_no_sense_is_not_made(
    hooks: Hooks, browse: Browse, wrong: dict[str, str], error: str
) -> None:
    page = browse(hooks.ada).post("/webhooks", {**FORM, **wrong})
    assert (page.status, page.errors, stored(hooks)) == (422, [error], [])


def test_an_agency_has_at_most_50(hooks: Hooks, browse: Browse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.webhooks.actions.MOST_ENDPOINTS", 2)
    answers = [browse(hooks.ada).post("/webhooks", FORM).status for _ in range(3)]
    assert (answers, len(stored(hooks))) == ([303, 303, 409], 2)


def test_an_endpoint_is_changed(hooks: Hooks, browse: Browse) -> None:
    webhook = hooks.endpoint("https://hooks.example.com/in", headers={"X-Key": "very-secret"})
    path = f"/webhooks/{webhook.public_id}/edit"
    assert "X-Key: very-secret" in browse(hooks.ada).get(path).text
    page = browse(hooks.ada).post(
        path, {**FORM, "patterns": "*", "headers": "", "rate_per_minute": "60", "fields": "name\nslug"}
    )
    assert (page.status, page.where) == (303, f"/webhooks/{webhook.public_id}")
    row = hooks.read(webhook)
    assert (row.patterns, row.headers_sealed, row.description) == (["*"], "", "Ledger")
    assert (row.rate_per_minute, row.fields) == (60, ["name", "slug"])
    assert audited(hooks)[-1] == "webhook.changed"


def test_the_secret_is_shown_to_who_gives_the_password(hooks: Hooks, browse: Browse) -> None:
    webhook = hooks.endpoint("https://hooks.example.com/in")
    path, ada = f"/webhooks/{webhook.public_id}/secret", browse(hooks.ada)
    wrong = ada.post(path, {"password": "not hers"})
    assert (wrong.status, SECRET.findall(wrong.text)) == (422, [])
    assert SECRET.findall(ada.get(path).text) == []
    right = ada.post(path, {"password": PASSWORD})
    assert (right.status, right.where) == (303, path)
    assert set(SECRET.findall(ada.get(path).text)) == {hooks.secret(webhook)}
    assert SECRET.findall(ada.get(path).text) == []
    assert audited(hooks) == ["webhook.created", "webhook.secret_shown"]


def test_a_replaced_secret_is_shown_and_the_old_one_kept_for_a_day(hooks: Hooks, browse: Browse) -> None:
    webhook = hooks.endpoint("https://hooks.example.com/in")
    old = hooks.secret(webhook)
    ada, path = browse(hooks.ada), f"/webhooks/{webhook.public_id}"
    page = ada.get(ada.post(f"{path}/rotate").where or "")
    new = hooks.secret(webhook)
    assert set(SECRET.findall(page.text)) == {new} != {old}
    assert hooks.read(webhook).previous_secret_until is not None
    again = ada.post(f"{path}/rotate")  # as a reload would have done
    assert (again.where, hooks.secret(webhook)) == (path, new)
    shown = ada.get(path)
    assert "The secret before this one still signs" in shown.text
    assert [tag["id"] for tag in shown.html.select("dialog[id$=-secret]")] == ["show-secret", "end-secret"]
    assert ada.post(f"{path}/secret/retire").where == path
    assert hooks.read(webhook).previous_secret_sealed == ""
    assert audited(hooks)[-1] == "webhook.secret_ended"


def test_W3_loading_the_page_of_a_new_secret_again_does_nothing_again(hooks: Hooks, browse: Browse) -> None:
    ada = browse(hooks.ada)
    where = ada.post("/webhooks", FORM).where or ""
    [webhook] = stored(hooks)
    pages = [ada.get(where) for _ in range(3)]
    assert [len(set(SECRET.findall(page.text))) for page in pages] == [1, 0, 0]
    assert [page.texts("#secret-form label") for page in pages] == [[], ["Your password *"], ["Your password *"]]
    assert (stored(hooks)[0].secret_sealed, len(stored(hooks))) == (webhook.secret_sealed, 1)
    other = browse(hooks.world.person(hooks.agency))
    ada.post(f"/webhooks/{webhook.public_id}/rotate")
    assert SECRET.findall(other.get(where).text) == []  # it is hers to look at


def test_a_held_endpoint_says_so_and_is_reset(hooks: Hooks, browse: Browse) -> None:
    ada = browse(hooks.ada)
    webhook = hooks.endpoint("https://hooks.example.com/in")
    hooks.set(webhook, held_until=utcnow() + timedelta(minutes=9), failing_since=utcnow(), failures=1)
    path = f"/webhooks/{webhook.public_id}"
    assert "because the receiver asked to be left alone" in ada.get(path).text
    sent = ada.post(f"{path}/test").where or ""
    page = ada.get(sent)
    assert "It goes at" in page.text
    assert page.one("#delivery")["hx-trigger"] == "every 30s"
    assert page.texts("#delivery .callout-title") == ["It waits"]
    assert ada.post(f"{path}/reset").where == path
    row = hooks.read(webhook)
    assert (row.held_until, row.state) == (None, "active")
    assert "left alone" not in ada.get(path).text
    hooks.set(webhook, latency_ms=9000)
    assert "This webhook goes slowly" in ada.get(path).text
    assert audited(hooks)[-2:] == ["webhook.test", "webhook.reset"]


def test_the_page_of_a_delivery_looks_again_until_it_is_decided(hooks: Hooks, browse: Browse) -> None:
    ada = browse(hooks.ada)
    with receiving() as receiver:
        webhook = hooks.endpoint(receiver.url)
        where = ada.post(f"/webhooks/{webhook.public_id}/test").where or ""
        waiting = ada.get(where)
        assert (waiting.one("#delivery")["hx-trigger"], waiting.one("#delivery")["hx-get"]) == ("every 2s", where)
        hooks.pump()
        part = ada.get(where, headers={"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "div#delivery"})
        assert "hx-trigger" not in part.one("#delivery").attrs
        assert part.texts("#attempts tbody td")[2].startswith("Accepted (200)")
        assert part.html.select("main") == []
        hooks.set(webhook, paused_at=utcnow())
        ada.post(f"{where}/again")
        assert "The webhook is paused" in ada.get(where).text


def test_of_two_who_edit_the_second_sees_what_the_first_saved(hooks: Hooks, browse: Browse) -> None:
    webhook = hooks.endpoint("https://hooks.example.com/in")
    path = f"/webhooks/{webhook.public_id}/edit"
    ada, bo = browse(hooks.ada), browse(hooks.world.person(hooks.agency, name="Bo Lind"))
    version = ada.get(path).one("[name=version]")["value"]
    theirs = {**FORM, "version": str(version), "description": "Till", "patterns": "client.*"}
    assert bo.post(path, theirs).status == 303
    mine = {**FORM, "version": str(version), "description": "Books"}
    late = ada.post(path, mine)
    assert (late.status, page_faults(late.text, hooks.app)) == (412, [])
    assert "Changed meanwhile by Bo Lind" in late.text
    assert late.texts("[data-error-summary] tbody tr") == [
        "Description Till Books",
        "Events client.* site.* client.created",
    ]
    assert late.one("[name=description]")["value"] == "Books"  # nothing typed is lost
    assert hooks.read(webhook).description == "Till"
    again = {**mine, "version": str(late.one("[name=version]")["value"])}
    assert ada.post(path, {**again, "url": ""}).one("[name=version]")["value"] == again["version"]
    assert ada.post(path, again).status == 303
    assert hooks.read(webhook).description == "Books"


def test_a_test_event_and_its_log(hooks: Hooks, browse: Browse) -> None:
    ada = browse(hooks.ada)
    with receiving(status=500, body=b'{"token": "abcdefghijk", "why": "closed"}') as receiver:
        webhook = hooks.endpoint(receiver.url)
        sent = ada.post(f"/webhooks/{webhook.public_id}/test")
        hooks.pump()
        # on a slow machine the first retry may have followed already; it is the same letter
        assert len({call.headers["webhook-id"] for call in receiver.calls}) == 1
        page = ada.get(sent.where or "")
        assert page_faults(page.text, hooks.app) == []
        assert page.texts("#attempts tbody td")[2] == 'Refused (500) What it said {"token": [hidden], "why": "closed"}'
        receiver.status = 200
        assert ada.post(f"{sent.where}/again").status == 303
        hooks.pump()
    assert [one.status for one in hooks.deliveries(webhook)] == ["delivered"]
    log = ada.get(f"/webhooks/{webhook.public_id}")
    assert (log.texts("#deliveries tbody th"), log.texts("#deliveries tbody td")[2]) == (
        ["webhook.test"],
        "Accepted (200)",
    )
    assert ada.get(f"/webhooks/{webhook.public_id}?status=failed").texts("#results h2") == ["No delivery fits"]


def test_pause_off_on_send_again_and_delete(hooks: Hooks, browse: Browse) -> None:
    ada = browse(hooks.ada)
    with receiving() as receiver:
        webhook = hooks.endpoint(receiver.url, patterns=("client.*",))
        path = f"/webhooks/{webhook.public_id}"
        states = []
        for act in ("pause", "enable", "disable"):
            assert ada.post(f"{path}/{act}").status == 303
            states.append(hooks.read(webhook).state)
        hooks.publish(CLIENT_CREATED)
        hooks.deliver()
        assert ada.post(f"{path}/again").status == 409
        assert ada.post(f"{path}/enable").status == 303
        assert ada.post(f"{path}/again", {"days": "7"}).status == 303
        hooks.pump()
        assert (states, len(receiver.calls)) == (["paused", "active", "disabled"], 1)
    assert ada.post(f"{path}/remove").where == "/webhooks"
    assert stored(hooks) == []


def test_a_span_of_time_goes_to_another_endpoint(hooks: Hooks, browse: Browse) -> None:
    ada = browse(hooks.ada)
    with receiving() as receiver, receiving() as newer:
        source = hooks.endpoint(receiver.url, patterns=("client.*",))
        target = hooks.endpoint(newer.url, patterns=("deal.*",))
        event = hooks.publish(CLIENT_CREATED)
        hooks.deliver()
        path = f"/webhooks/{source.public_id}/replay"
        form = ada.get(path)
        assert page_faults(form.text, hooks.app) == []
        assert [tag["value"] for tag in form.html.select("[name=target] option")] == [
            source.public_id,
            target.public_id,
        ]
        sent = {"since": "2026-01-01T00:00", "until": "", "which": "all", "target": target.public_id}
        assert ada.post(path, {**sent, "since": ""}).errors == ["Enter when to begin."]
        assert ada.post(path, {**sent, "until": "2025-01-01T00:00"}).errors == ["The end must be after the beginning."]
        stranger = ada.post(path, {**sent, "target": "whk_00000000000000000000000000"})
        assert (stranger.status, newer.ids) == (422, [])
        page = ada.post(path, sent)
        hooks.pump()
    assert (page.status, page.where, newer.ids) == (303, f"/webhooks/{target.public_id}", [event.public_id])
    assert audited(hooks)[-1] == "webhook.replayed"


def test_what_would_do_nothing_is_asked_about_and_kept_when_it_is_meant(hooks: Hooks, browse: Browse) -> None:
    ada = browse(hooks.ada)
    typed = {**FORM, "patterns": "client.craeted\nsiet.*\nsite.created", "fields": "name\nslgu\nname.first"}
    page = ada.post("/webhooks", typed)
    assert (page.status, stored(hooks), page_faults(page.text, hooks.app)) == (422, [], [])
    assert page.errors == [
        "Nothing tells client.craeted. Did you mean client.created or client.restored? "
        "Nothing tells siet.*. Did you mean site.* or client.*?",
        "No event chosen here has slgu. Did you mean slug? No event chosen here has name.first.",
    ]
    kept = {**typed, "meant": "y", "meant_what": str(page.one("[name=meant_what]")["value"])}
    other = ada.post(
        "/webhooks", {**kept, "patterns": typed["patterns"] + "\npgae.*"}
    )  # one more: it was not meant yet
    assert (other.errors, stored(hooks)) == (["Nothing tells pgae.*. Did you mean page.*?"], [])
    assert ada.post("/webhooks", kept).status == 303
    [webhook] = stored(hooks)
    assert (webhook.patterns[0], webhook.fields[1]) == ("client.craeted", "slgu")
    assert ada.post(f"/webhooks/{webhook.public_id}/edit", typed).status == 303  # what it has is not asked about again


def test_what_a_module_tells_and_has_is_known() -> None:
    manifest = load_manifest(first_party("enquiries")["module.yaml"])
    groups = catalogue(role=Role.OWNER, modules=[("Enquiries", manifest)])
    assert "form.created" in [one.type for one in groups[-1].events]
    asked = ["record.id", "record", "changed", "record.name.deeper", "record.notify"]
    found = doubts(groups, patterns=["form.*"], fields=asked)
    # a text has nothing below it, and what is private leaves nowhere
    assert [one.value for one in found] == ["record.name.deeper", "record.notify"]
    assert doubts(groups, patterns=["*"], fields=["record.id", "slug"]) == []
    [lost] = doubts(groups, patterns=["form.craeted"], fields=["whatever"])
    assert lost.detail.startswith("Nothing tells form.craeted. Did you mean form.created")


def test_the_index_of_events_is_small_and_searched(hooks: Hooks, browse: Browse) -> None:
    ada = browse(hooks.ada)
    page = ada.get("/webhooks/events")
    assert (page.status, page_faults(page.text, hooks.app)) == (200, [])
    assert page.texts("#results li code") == sorted(CATALOG, key=lambda name: _first(name))
    assert len(page.text.encode()) < 60_000
    assert ada.get("/webhooks/events?q=role+CHANGED").texts("#results li code") == [
        "member.role_changed", "install.role_given",
    ]  # fmt: skip
    assert set(ada.get("/webhooks/events?group=domain").texts("#results li code")) == {
        name for name in CATALOG if name.startswith("domain.")
    }
    part = ada.get("/webhooks/events?q=nothing-such", htmx="results")
    assert (part.texts("h2"), part.html.select("main")) == (["No event fits"], [])


def _first(name: str) -> int:
    """Where the kind of an event comes first in the catalogue: the index has the events of a kind together."""
    return [one.partition(".")[0] for one in CATALOG].index(name.partition(".")[0])


def test_each_event_has_a_page_with_an_example_and_a_schema(hooks: Hooks, browse: Browse) -> None:
    ada = browse(hooks.ada)
    for name in ("client.created", "page.published"):
        page = ada.get(f"/webhooks/events/{name}")
        assert (page.status, page.heading, page_faults(page.text, hooks.app)) == (200, name, [])
        assert page.texts("figcaption") == ["Example of a call", "JSON Schema of a call"]
        assert f'"type": "{name}"' in page.html.select("pre")[0].text
    assert ada.get("/webhooks/events/client.craeted").status == 404


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MEMBER])
def test_others_of_the_agency_do_not_see_webhooks(hooks: Hooks, browse: Browse, role: Role) -> None:
    webhook = hooks.endpoint("https://hooks.example.com/in")
    vic = browse(hooks.world.person(hooks.agency, role))
    paths = ["/webhooks", "/webhooks/events", "/webhooks/new", f"/webhooks/{webhook.public_id}"]
    assert [vic.get(path).status for path in paths] == [403] * 4
    assert vic.post("/webhooks", FORM).status == 403
    assert vic.post(f"/webhooks/{webhook.public_id}/remove").status == 403
    assert len(stored(hooks)) == 1


@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN, Role.DEVELOPER])
def test_who_may_make_webhooks(hooks: Hooks, browse: Browse, role: Role) -> None:
    assert browse(hooks.world.person(hooks.agency, role)).post("/webhooks", FORM).status == 303
    assert [one.role for one in stored(hooks)] == [role.value]


def test_another_agencys_webhooks_do_not_exist(hooks: Hooks, browse: Browse, world: World) -> None:
    webhook = hooks.endpoint("https://hooks.example.com/in")
    olga = browse(world.person(world.agency("Other Place")))
    assert olga.get(f"/webhooks/{webhook.public_id}").status == 404
    assert olga.post(f"/webhooks/{webhook.public_id}/secret", {"password": "x"}).status == 404
    assert olga.get("/webhooks").ids("main table tbody tr") == []
