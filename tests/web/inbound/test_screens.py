"""W13, what the agency sees: addresses, secrets once, what was turned away, what came, and running it again."""

from __future__ import annotations

import json

import pytest

from app.access.permissions import Role
from app.lib.ids import encode
from app.tenancy.models import Agency
from tests.support.statements import Statements
from tests.support.world import World
from tests.web.conftest import Browse
from tests.web.inbound.conftest import Till, github


def test_W13_the_page_shows_every_hook_with_its_address_before_anything_is_set_up(till: Till) -> None:
    page = till.ada.get(till.screen)
    assert page.texts("[id^=hook-] h2") == ["New orders", "Pushes", "Payments", "Sales"]
    assert page.texts("[id^=hook-] .code-block code") == [
        f"{till.config.platform_url}{till.url(hook)}" for hook in ("orders", "pushes", "payments", "sales")
    ]
    assert page.texts("[id^=hook-] .status") == ["No secret yet"] * 4
    assert page.texts(".empty-state h2") == ["No message came yet"]
    assert (
        till.ada.get(f"/installs/{till.install.public_id}").one(f'a[href="{till.screen}"]').get_text(strip=True)
        == "Inbound"
    )


def test_W13_a_secret_is_shown_once_and_never_again(till: Till) -> None:
    secret = till.make_secret()
    assert secret.startswith("whsec_")
    page = till.ada.get(till.screen)
    assert (secret in page.text, page.texts("[id=hook-orders] .status")) == (False, ["Takes messages"])
    assert till.ada.get("/audit").text.count("Secret of an inbound webhook set") >= 1
    assert secret not in till.ada.get("/audit").text + str(
        till.install.rows("SELECT * FROM events WHERE install_id = :install")
    )


def test_W13_where_the_sender_gives_the_secret_none_is_made(till: Till) -> None:
    page = till.ada.get(till.screen)
    assert len(page.html.select("[id=hook-payments] form[action$=new-secret]")) == 0
    assert till.ada.post(f"{till.screen}/payments/new-secret").status == 409
    assert till.ada.post(f"{till.screen}/nothing/new-secret").status == 404
    assert till.ada.post(f"{till.screen}/nothing/secret", {"nothing-secret": "x" * 20}).status == 404


@pytest.mark.parametrize(
    ("hook", "secret", "message"),
    [
        ("orders", "hello", "A secret of Standard Webhooks is whsec_ and 24 to 64 bytes in base64."),
        ("orders", "whsec_AAAA", "A secret of Standard Webhooks is whsec_ and 24 to 64 bytes in base64."),
        ("payments", "short", "Enter the secret as the sender shows it: 8 to 500 characters in one line."),
        ("payments", "", "Enter the secret."),
    ],
)
def test_W13_a_secret_that_cannot_be_one_is_refused(till: Till, hook: str, secret: str, message: str) -> None:
    page = till.enter_secret(hook, secret)
    assert page.status == 422
    assert message in page.text
    assert till.install.rows("SELECT * FROM inbound_hooks WHERE install_id = :install") == []


def test_W13_the_secret_of_a_sender_of_standard_webhooks_can_be_entered(till: Till) -> None:
    theirs = "whsec_" + "QUJD" * 11
    assert till.enter_secret("orders", theirs).status == 303
    assert till.send(theirs).status_code == 200
    page = till.enter_secret("orders", theirs)
    assert (page.status, "This is the secret that holds already." in page.text) == (422, True)


def test_W13_the_page_says_what_was_turned_away_and_why(till: Till) -> None:
    till.make_secret()
    for _ in range(2):
        till.send("whsec_" + "QUJD" * 11)
    told = till.ada.get(till.screen).one("[id=hook-orders] .callout").get_text(" ", strip=True)
    assert told.startswith("2 messages turned away within 24 hours 2: another secret, or changed on the way; the last")
    assert till.address in told


def test_W13_messages_are_listed_with_what_became_of_them(till: Till) -> None:
    secret = till.make_secret()
    done, failed = till.send(secret, message_id="msg_1"), till.send(secret, message_id="msg_2")
    till.run(done)
    till.install.change(settings={"refuses": True})
    till.run(failed)
    till.send(secret, message_id="msg_3")
    seen = [[cell.get_text(" ", strip=True) for cell in row.select("th small, .status")] for row in till.rows()]
    assert seen == [["msg_3", "Waiting"], ["msg_2", "Failed"], ["msg_1", "Done"]]
    assert [row.select_one("small").get_text() for row in till.rows(f"{till.screen}?status=failed")] == ["msg_2"]  # type: ignore[union-attr]
    assert [row.select_one("small").get_text() for row in till.rows(f"{till.screen}?q=msg_1")] == ["msg_1"]  # type: ignore[union-attr]
    assert till.ada.get(f"{till.screen}?hook=pushes").texts("#results .empty-state h2") == ["No message fits"]


def test_W13_a_message_shows_its_body_without_secrets(till: Till) -> None:
    answer = till.send(till.make_secret())
    page = till.ada.get(f"/inbound-messages/{answer.get_json()['id']}")
    body = json.loads(page.texts(".code-block code")[-1])
    assert body["data"] == {"number": 17, "buyer": "Zoë", "api_key": "[redacted]"}
    assert answer.headers["X-Request-Id"] in page.text


def test_W13_run_again_runs_it_once_more(till: Till) -> None:
    answer = till.send(till.make_secret())
    where = f"/inbound-messages/{answer.get_json()['id']}"
    assert len(till.ada.get(where).html.select(f'form[action="{where}/run"]')) == 0  # it waits for its turn
    assert till.ada.post(f"{where}/run").status == 303
    assert till.receipts()[0]["run"] == 1
    till.run(answer)
    assert till.ada.post(f"{where}/run").status == 303
    receipt = till.run(answer)
    assert (receipt["status"], receipt["run"], receipt["attempts"]) == ("done", 2, 1)
    assert till.taken() == [("orders", "msg_1", "")] * 2
    assert till.install.events().count("inbound.run_again") == 1


def test_W13_messages_stand_in_the_logs_with_their_request(till: Till) -> None:
    answer = till.send(till.make_secret())
    till.run(answer)
    request = answer.headers["X-Request-Id"]
    lines = [json.loads(line) for line in till.ada.get(f"/logs.jsonl?request={request}").text.splitlines()]
    assert sorted(line["kind"] for line in lines if line["kind"] != "job") == ["inbound", "run"]
    [line] = [line for line in lines if line["kind"] == "inbound"]
    assert (line["title"], line["level"], line["outcome"]) == ("orders msg_1", "ok", "done")
    assert "buyer" not in json.dumps(lines)


# -- who


@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
def test_W13_who_may_not_set_modules_up_sees_and_does_nothing_of_it(
    till: Till, world: World, browse: Browse, agency: Agency, role: Role
) -> None:
    answer = till.send(till.make_secret())
    vic = browse(world.person(agency, role))
    message = f"/inbound-messages/{answer.get_json()['id']}"
    assert [vic.get(path).status for path in (till.screen, message)] == [403, 403]
    assert vic.post(f"{till.screen}/orders/new-secret").status == 403
    assert vic.post(f"{message}/run").status == 403
    assert till.screen not in vic.get(f"/installs/{till.install.public_id}").text


def test_W13_for_another_agency_nothing_of_it_is_there(till: Till, world: World, browse: Browse) -> None:
    answer = till.send(till.make_secret())
    olga = browse(world.person(world.agency("Tidewater"), Role.OWNER))
    message = f"/inbound-messages/{answer.get_json()['id']}"
    assert [olga.get(path).status for path in (till.screen, message)] == [404, 404]
    posts = (f"{till.screen}/orders/new-secret", f"{till.screen}/orders/secret", f"{till.screen}/orders/end-previous")
    assert [olga.post(path).status for path in (*posts, f"{message}/run")] == [404] * 4


def test_W13_the_page_costs_the_same_for_any_number_of_messages(till: Till, statements: Statements) -> None:
    secret, pushes = till.make_secret(), till.make_secret("pushes")
    cost = []
    for number in range(2):
        till.send(secret, message_id=f"msg_{number}")
        till.post(b"{}", github(pushes, b"{}", f"d{number}"), hook="pushes")
        till.send("whsec_" + "QUJD" * 11)
        till.ada.get(till.screen)
        with statements.counted() as sent:
            assert till.ada.get(till.screen).status == 200
        cost.append(len([statement for statement in sent if not statement.startswith("SELECT set_config")]))
    assert cost[0] == cost[1]


def test_W13_pages_go_on_where_the_one_before_ended(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.inbound.queries.ROWS", 2)
    secret = till.make_secret()
    for number in range(3):
        till.send(secret, message_id=f"msg_{number}")
    first = till.ada.get(till.screen)
    assert [small.get_text() for small in first.html.select("#messages small")] == ["msg_2", "msg_1"]
    second = till.receipts()[1]["id"]
    rest = till.ada.get(f"{till.screen}?cursor={encode('rct', second)}")
    assert [small.get_text() for small in rest.html.select("#messages small")] == ["msg_0"]
