"""W13, what senders meet: who is believed, what is taken once, when the answer is 2xx, and what strangers learn."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from app.config import Config
from app.inbound import api
from app.inbound.jobs import forget_old
from app.lib.clock import utcnow
from app.lib.ids import encode, uuid7
from tests.support.modules import Released, put_on
from tests.support.world import World
from tests.web.conftest import Browse, new_address
from tests.web.inbound.conftest import ORDER, Till, github, shopify, standard, stripe

BODY = json.dumps(ORDER, ensure_ascii=False).encode()


def test_W13_a_message_of_the_library_is_kept_answered_and_handled(till: Till) -> None:
    answer = till.send(till.make_secret())
    assert (answer.status_code, answer.get_json()["repeated"]) == (200, False)
    [receipt] = till.receipts()
    assert (receipt["status"], receipt["message_id"], receipt["size_bytes"]) == ("due", "msg_1", len(BODY))
    assert answer.headers["X-Request-Id"] == receipt["request_id"]
    assert till.taken() == []  # it is taken first and run afterwards
    assert (till.run(answer)["status"], till.taken()) == ("done", [("orders", "msg_1", "")])
    [message] = till.install.records("messages")
    assert json.loads(message["text"]) == ORDER


@pytest.mark.parametrize("seconds", [-240, 240])
def test_W13_a_clock_four_minutes_off_is_borne(till: Till, seconds: int) -> None:
    assert till.send(till.make_secret(), at=utcnow() + timedelta(seconds=seconds)).status_code == 200


@pytest.mark.parametrize("seconds", [-360, 360])
def test_W13_a_message_of_six_minutes_ago_or_ahead_is_refused(till: Till, seconds: int) -> None:
    assert till.send(till.make_secret(), at=utcnow() + timedelta(seconds=seconds)).status_code == 401
    assert (till.receipts(), till.refusals()) == ([], {"timestamp": 1})


def test_W13_a_message_caught_and_sent_again_is_taken_once_and_after_six_minutes_not_at_all(till: Till) -> None:
    headers = standard(till.make_secret(), "msg_1", BODY)
    first, again = till.post(BODY, headers), till.post(BODY, headers)
    assert (again.status_code, again.get_json()) == (200, {**first.get_json(), "repeated": True})
    late = {**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) - 360)}
    assert till.post(BODY, late).status_code == 401  # the time is signed
    [receipt] = till.receipts()
    assert receipt["repeats"] == 1


@pytest.mark.parametrize(
    "tampered",
    [
        BODY.replace(b"17", b"18"), BODY + b" ", BODY[:-1], b"",
        json.dumps(json.loads(BODY), sort_keys=True).encode(),  # the same data in other bytes
    ],
)  # fmt: skip
def test_W13_bytes_that_were_changed_are_refused(till: Till, tampered: bytes) -> None:
    headers = standard(till.make_secret(), "msg_1", BODY)
    assert till.post(tampered, headers).status_code == 401
    assert (till.receipts(), till.refusals()) == ([], {"signature": 1})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"webhook-id": "msg_2"}, "signature"),
        ({"webhook-id": ""}, "no_signature"),
        ({"webhook-id": "a.b"}, "no_signature"),
        ({"webhook-timestamp": ""}, "no_signature"),
        ({"webhook-timestamp": "1e9"}, "no_signature"),
        ({"webhook-signature": ""}, "no_signature"),
        ({"webhook-signature": "v1,AAAA"}, "signature"),
        ({"webhook-signature": "v1a,AAAA"}, "no_signature"),
        ({"webhook-signature": "v1,\xff"}, "signature"),
    ],
)
def test_W13_each_header_must_be_right_and_the_answer_does_not_say_which_is_wrong(
    till: Till, change: dict[str, str], reason: str
) -> None:
    secret = till.make_secret()
    answer = till.post(BODY, {**standard(secret, "msg_1", BODY), **change})
    told = {key: value for key, value in answer.get_json().items() if key != "request_id"}
    assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")
    assert told == {
        "type": "/errors/not_proven", "title": "Not signed in", "status": 401, "code": "not_proven", "errors": [],
        "detail": api.NOT_PROVEN,
    }  # fmt: skip
    assert (till.receipts(), till.refusals()) == ([], {reason: 1})


def test_W13_before_a_secret_is_set_nothing_is_believed(till: Till) -> None:
    secret = "whsec_" + "QUJD" * 11
    answer = till.send(secret)
    assert (answer.status_code, answer.get_json()["code"]) == (401, "not_proven")
    assert (till.receipts(), till.refusals()) == ([], {"no_secret": 1})


def test_W13_the_secret_of_another_install_or_another_hook_proves_nothing(
    till: Till, till_link: Released, world: World, config: Config, browse: Browse, api_app: Flask
) -> None:
    till.make_secret()
    agency = world.agency("Tidewater")
    theirs = Till(api_app, put_on(till_link, world.site(agency), config=config), browse(world.person(agency)), config)
    assert till.send(theirs.make_secret()).status_code == 401
    pushes = till.make_secret("pushes")
    assert till.post(BODY, github(pushes, BODY), hook="orders").status_code == 401
    assert (till.receipts(), theirs.receipts()) == ([], [])


def test_W13_the_same_id_at_another_install_is_another_message(
    till: Till, till_link: Released, world: World, config: Config, browse: Browse, api_app: Flask
) -> None:
    agency = world.agency("Tidewater")
    theirs = Till(api_app, put_on(till_link, world.site(agency), config=config), browse(world.person(agency)), config)
    assert till.send(till.make_secret()).get_json()["repeated"] is False
    assert theirs.send(theirs.make_secret()).get_json()["repeated"] is False


def test_W13_two_secrets_hold_for_24_hours_after_one_was_replaced(till: Till) -> None:
    old = till.make_secret()
    new = till.make_secret()
    assert old != new
    assert [till.send(one, message_id=one[-6:-1]).status_code for one in (old, new)] == [200, 200]
    both = standard(old, "msg_b", BODY)
    both["webhook-signature"] += " " + standard(new, "msg_b", BODY)["webhook-signature"]
    assert till.post(BODY, both).status_code == 200
    till.install.rows("UPDATE inbound_hooks SET previous_until = now() - interval '1 s' WHERE install_id = :install")
    assert [till.send(one, message_id=f"late{one[-6:-1]}").status_code for one in (old, new)] == [401, 200]


def test_W13_the_old_secret_can_be_ended_at_once(till: Till) -> None:
    old, new = till.make_secret(), till.make_secret()
    assert till.ada.post(f"{till.screen}/orders/end-previous").status == 303
    assert [till.send(one).status_code for one in (old, new)] == [401, 200]
    assert till.install.events()[-3:] == ["inbound.secret_set", "inbound.secret_set", "inbound.secret_ended"]


# -- once


def test_W13_of_twenty_alike_at_the_same_moment_one_is_taken(till: Till) -> None:
    secret = till.make_secret()
    headers = standard(secret, "msg_1", BODY)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: till.post(BODY, headers), range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert sorted(answer.get_json()["repeated"] for answer in answers) == [False] + [True] * 19
    assert len({answer.get_json()["id"] for answer in answers}) == 1
    [receipt] = till.receipts()
    assert receipt["repeats"] == 19
    till.run(answers[0])
    till.run(answers[1])
    assert till.taken() == [("orders", "msg_1", "")]


def test_W13_an_id_is_known_for_24_hours(till: Till) -> None:
    secret = till.make_secret()
    till.send(secret)
    till.move_seen("23 hours 59 minutes")
    forget_old()
    assert till.send(secret).get_json()["repeated"] is True
    till.move_seen("24 hours 1 minute")
    assert till.send(secret).get_json()["repeated"] is False
    assert till.send(secret).get_json()["repeated"] is True
    till.move_seen("24 hours 1 minute")
    forget_old()
    assert till.send(secret).get_json()["repeated"] is False
    assert len(till.receipts()) == 3


# -- other senders' ways


def test_W13_github(till: Till) -> None:
    secret = till.make_secret("pushes")
    answer = till.post(BODY, github(secret, BODY), hook="pushes")
    assert till.run(answer)["status"] == "done"
    assert till.taken() == [("pushes", "72d3162e-cc78-11e3-81ab-4c9367dc0958", "push")]
    assert till.post(BODY, github(secret, BODY), hook="pushes").get_json()["repeated"] is True
    assert till.post(BODY, github(secret, BODY, "other"), hook="pushes").get_json()["repeated"] is False
    bare = {name: value.removeprefix("sha256=") for name, value in github(secret, BODY, "third").items()}
    assert till.post(BODY, bare, hook="pushes").status_code == 401
    assert till.post(BODY + b" ", github(secret, BODY, "fourth"), hook="pushes").status_code == 401


def test_W13_stripe(till: Till) -> None:
    secret, body = "whsec_5WbX5kEWLlfzsGNjH64I8lOOqUB6e8FH", b'{"id": "evt_1", "object": "event"}'
    assert till.enter_secret("payments", secret).status == 303
    answer = till.post(body, stripe(secret, body=body), hook="payments")
    assert till.run(answer)["status"] == "done"
    assert till.taken() == [("payments", "evt_1", "")]
    assert till.post(body, stripe("whsec_other000", secret, body=body), hook="payments").get_json()["repeated"] is True
    old = stripe(secret, body=body, ago=timedelta(minutes=6))
    assert till.post(body, old, hook="payments").status_code == 401
    moved = stripe(secret, body=body)["Stripe-Signature"].replace("t=", "t=1")
    assert till.post(body, {"Stripe-Signature": moved}, hook="payments").status_code == 401
    assert till.refusals() == {"timestamp": 1, "signature": 1}


def test_W13_shopify(till: Till) -> None:
    secret, body = "hush hush 0123456789", b'{"id": 820982911946154508}'
    assert till.enter_secret("sales", secret).status == 303
    answer = till.post(body, shopify(secret, body), hook="sales")
    assert till.run(answer)["status"] == "done"
    assert till.taken() == [("sales", "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043", "orders/create")]
    assert till.post(body, shopify("another secret", body), hook="sales").status_code == 401


def test_W13_a_message_without_the_id_that_was_agreed_is_known_by_its_body(till: Till) -> None:
    secret = till.make_secret("pushes")
    without = {name: value for name, value in github(secret, BODY).items() if name != "X-GitHub-Delivery"}
    assert [till.post(BODY, without, hook="pushes").get_json()["repeated"] for _ in range(2)] == [False, True]


# -- what may be sent


def test_W13_a_message_may_have_256_kB_with_or_without_its_length_told(till: Till) -> None:
    secret = till.make_secret()
    fits, large = (b'{"a":"' + b"x" * (api.MOST_BYTES - 8 + more) + b'"}' for more in (0, 1))
    assert len(fits) == api.MOST_BYTES
    assert till.send(secret, body=fits).status_code == 200
    answer = till.send(secret, message_id="msg_2", body=large)
    assert (answer.status_code, answer.get_json()["code"]) == (413, "message_too_large")
    assert len(till.receipts()) == 1


def test_W13_a_large_message_in_any_letters_reaches_the_function(till: Till) -> None:
    body = json.dumps({"a": "ž" * ((api.MOST_BYTES - 10) // 2)}, ensure_ascii=False).encode()
    answer = till.send(till.make_secret(), body=body)
    till.install.change(settings={"refuses": True})
    receipt = till.run(answer)
    assert (receipt["status"], receipt["error"]) == ("failed", "This order has no number.")  # it was reached


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json; charset=utf-8", b"{}", 200),
        ("application/cloudevents+json", b"{}", 200),
        ("application/x-www-form-urlencoded", b"payload=%7B%7D", 200),
        ("application/xml", b"<a/>", 200),
        ("text/plain", b"hello", 200),
        ("", b"", 200),
        ("application/octet-stream", b"\x00", 415),
        ("image/png", b"{}", 415),
        ("multipart/form-data; boundary=x", b"--x--", 415),
    ],
)
def test_W13_text_is_taken_and_nothing_else(till: Till, content_type: str, body: bytes, status: int) -> None:
    assert till.send(till.make_secret(), body=body, content_type=content_type or None).status_code == status


def test_W13_what_is_no_text_or_compressed_is_refused_to_who_could_sign_it(till: Till) -> None:
    secret = till.make_secret("pushes")
    body = b"\xff\xfe{}"
    assert till.post(body, github(secret, body), hook="pushes").status_code == 415
    packed = {**github(secret, BODY), "Content-Encoding": "gzip"}
    assert till.post(BODY, packed, hook="pushes").status_code == 415
    assert till.receipts() == []


def test_W13_a_form_is_read_for_the_function(till: Till) -> None:
    body = b"payload=%7B%22a%22%3A1%7D&b="
    answer = till.send(till.make_secret(), body=body, content_type="application/x-www-form-urlencoded")
    till.run(answer)
    assert json.loads(till.install.records("messages")[0]["text"]) == {"payload": '{"a":1}', "b": ""}


def test_W13_an_install_takes_so_many_a_minute(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "PER_MINUTE", 3)
    secret = till.make_secret()
    answers = [till.send(secret, message_id=f"msg_{number}") for number in range(5)]
    assert [answer.status_code for answer in answers][:3] == [200, 200, 200]
    assert answers[-1].status_code == 429
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert len(till.receipts()) == 3


def test_W13_strangers_are_slowed_down_and_counted_and_keep_nobody_out(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "REFUSED_PER_MINUTE", 3)
    secret = till.make_secret()
    wrong = {**standard(secret, "msg_1", BODY), "webhook-id": "msg_2"}
    answers = [till.post(BODY, wrong).status_code for _ in range(5)]
    assert (answers[:3], answers[-1]) == ([401, 401, 401], 429)
    assert till.refusals() == {"signature": 3}
    assert till.send(secret).status_code == 200  # from the same address, but signed


# -- where it does not get through


@pytest.mark.parametrize("status", ["paused", "provisioning", "failed"])
def test_W13_an_install_that_does_not_serve_asks_the_sender_to_come_back(till: Till, status: str) -> None:
    secret = till.make_secret()
    till.install.change(status=status)
    answer = till.send(secret)
    assert (answer.status_code, answer.get_json()["code"]) == (503, "install_not_ready")
    assert answer.headers["Retry-After"] == "300"
    assert till.send("whsec_" + "QUJD" * 11).status_code == 401  # strangers do not learn it
    assert till.receipts() == []
    till.install.change(status="active")
    assert till.send(secret).get_json()["repeated"] is False


def test_W13_a_removed_install_says_gone_to_who_can_sign(till: Till) -> None:
    secret = till.make_secret()
    till.install.change(status="removed", removed_at=utcnow(), purge_after=utcnow() + timedelta(days=30))
    assert till.send(secret).status_code == 410
    assert till.send("whsec_" + "QUJD" * 11).status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "/api/modules/{slug}/hooks/{install}/nothing",
        "/api/modules/{slug}/hooks/{install}/Orders",
        "/api/modules/{slug}/hooks/{install}/a%00b",
        "/api/modules/{slug}/hooks/{other}/orders",
        "/api/modules/{slug}/hooks/ins_x/orders",
        "/api/modules/crm/hooks/{install}/orders",
    ],
)
def test_W13_an_address_that_is_none_is_404(till: Till, path: str) -> None:
    secret = till.make_secret()
    slug = till.install.released.package.manifest.slug
    given = path.format(slug=slug, install=till.install.public_id, other=encode("ins", uuid7()))
    answer = till.send(secret, url=given)
    assert (answer.status_code, answer.get_json()["code"]) == (404, "not_found")


def test_W13_nothing_of_it_is_kept_when_the_receipt_cannot_be(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = till.make_secret()

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("the work order could not be written")

    with monkeypatch.context() as patch:
        patch.setattr("app.inbound.receiving.enqueue", broken)
        assert till.send(secret).status_code == 500
    assert till.receipts() == []
    assert till.send(secret).get_json()["repeated"] is False  # the sender's next attempt is the first


def test_W13_keys_and_tokens_of_the_api_are_not_asked_for(till: Till) -> None:
    secret = till.make_secret()
    headers = {**standard(secret, "msg_1", BODY), "Authorization": "Bearer something"}
    assert till.post(BODY, headers, environ_base={"REMOTE_ADDR": new_address()}).status_code == 200
