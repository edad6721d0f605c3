"""W13, what becomes of a message: run once, tried again, waiting for a paused module, run again by hand, forgotten."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.inbound import jobs
from app.inbound.jobs import RETRIES, forget_old
from app.lib.clock import utcnow
from app.lib.ids import encode
from app.queue.worker import perform
from app.runtime.functions.breaker import breakers
from tests.web.inbound.conftest import Till


@pytest.fixture
def ordered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The receipts whose run the timed job orders."""
    found: list[str] = []
    monkeypatch.setattr(jobs, "enqueue", lambda db, name, **ids: found.append(f"{name} {ids['receipt_id']}"))
    return found


def test_W13_a_function_that_throws_is_tried_again_and_leaves_nothing_of_the_attempt(till: Till) -> None:
    till.install.change(settings={"fails": True})
    answer = till.send(till.make_secret())
    before = utcnow()
    receipt = till.run(answer)
    assert (receipt["status"], receipt["attempts"]) == ("due", 1)
    assert timedelta(0) <= receipt["due_at"] - before - RETRIES[0] < timedelta(seconds=60)
    assert till.taken() == []
    till.install.change(settings={})
    breakers.reset(till.install.id, "take")
    receipt = till.run(answer)
    assert (receipt["status"], receipt["attempts"], receipt["error"]) == ("done", 2, "")
    assert till.taken() == [("orders", "msg_1", "")]
    assert [(run["outcome"], run["trigger"], run["request_id"]) for run in till.install.runs()] == [
        ("error", "inbound", receipt["request_id"]), ("ok", "inbound", receipt["request_id"]),
    ]  # fmt: skip


def test_W13_after_the_last_attempt_it_has_failed(till: Till) -> None:
    till.install.change(settings={"fails": True})
    answer = till.send(till.make_secret())
    attempts = []
    for _ in range(len(RETRIES) + 2):
        breakers.reset(till.install.id, "take")
        attempts.append(till.run(answer)["status"])
    assert attempts == ["due"] * len(RETRIES) + ["failed", "failed"]
    assert len(till.install.runs()) == len(RETRIES) + 1


def test_W13_what_the_function_refuses_is_not_tried_again(till: Till) -> None:
    till.install.change(settings={"refuses": True})
    receipt = till.run(till.send(till.make_secret()))
    assert (receipt["status"], receipt["error"], receipt["attempts"]) == ("failed", "This order has no number.", 1)


def test_W13_one_that_was_done_is_not_run_again_whatever_orders_it(till: Till) -> None:
    answer = till.send(till.make_secret())
    till.run(answer)
    # as if the worker had died after the function's transaction and before the receipt was told
    till.install.rows("UPDATE inbound_receipts SET status = 'due', finished_at = NULL WHERE install_id = :install")
    receipt = till.run(answer)
    assert (receipt["status"], till.taken()) == ("done", [("orders", "msg_1", "")])


def test_W13_a_lost_order_or_a_killed_worker_is_made_up_for(till: Till, ordered: list[str]) -> None:
    till.send(till.make_secret())
    jobs.due()
    [receipt] = till.receipts()
    mine = f"inbound.run {receipt['id']}"
    assert mine not in ordered  # its own order is on the way
    till.become_due()
    jobs.due()
    jobs.due()
    assert ordered.count(mine) == 1
    assert till.receipts()[0]["due_at"] > utcnow() + timedelta(seconds=60)


def test_W13_a_message_that_kills_its_workers_is_given_up(till: Till) -> None:
    answer = till.send(till.make_secret())
    till.install.rows(f"UPDATE inbound_receipts SET attempts = {len(RETRIES) + 1} WHERE install_id = :install")
    receipt = till.run(answer)
    assert (receipt["status"], receipt["error"]) == ("failed", "Its last attempt did not come to an end.")


def test_W13_while_the_module_is_paused_a_message_waits_and_no_attempt_is_used_up(till: Till) -> None:
    answer = till.send(till.make_secret())
    till.install.change(status="paused")
    receipt = till.run(answer)
    assert (receipt["status"], receipt["attempts"]) == ("due", 0)
    assert receipt["error"] == "This module is paused on this site."
    till.install.change(status="active")
    assert till.run(answer)["status"] == "done"


def test_W13_after_three_days_of_waiting_it_has_failed(till: Till) -> None:
    answer = till.send(till.make_secret())
    till.install.change(status="paused")
    till.install.rows(
        "UPDATE inbound_receipts SET received_at = now() - interval '73 hours' WHERE install_id = :install"
    )
    assert till.run(answer)["status"] == "failed"


def test_W13_a_message_of_a_removed_install_has_failed(till: Till) -> None:
    answer = till.send(till.make_secret())
    till.install.change(status="removed")
    receipt = till.run(answer)
    assert (receipt["status"], receipt["error"]) == ("failed", "The module is no longer on this site.")


def test_W13_receipts_are_kept_for_30_days(till: Till) -> None:
    secret = till.make_secret()
    till.send(secret, message_id="old")
    till.send(secret, message_id="young")
    move = "UPDATE inbound_receipts SET received_at = now() - interval '{}' WHERE install_id = :install AND message_id = '{}'"
    till.install.rows(move.format("30 days 1 hour", "old"))
    till.install.rows(move.format("29 days 23 hours", "young"))
    forget_old()
    assert [row["message_id"] for row in till.receipts()] == ["young"]


def test_W13_nothing_of_a_message_or_a_secret_stands_in_the_database_as_it_came(till: Till) -> None:
    secret = till.make_secret()
    till.send(secret, body=b'{"buyer": "Zachariah Quux"}')
    [hook] = till.install.rows("SELECT * FROM inbound_hooks WHERE install_id = :install")
    kept = str([hook, till.receipts()])
    assert (secret in kept, secret.removeprefix("whsec_") in kept, "Quux" in kept) == (False, False, False)


def test_W13_the_run_carries_the_id_of_the_request(till: Till) -> None:
    answer = till.send(till.make_secret())
    receipt = till.run(answer)
    [run] = till.install.runs()
    assert run["request_id"] == answer.headers["X-Request-Id"] == receipt["request_id"]
    assert run["cause"] == f"{encode('rct', receipt['id'])} orders"


def test_W13_an_order_for_a_receipt_that_is_gone_does_nothing(till: Till) -> None:
    perform("inbound.run", till.agency_id, {"receipt_id": "01a228ee-14a7-7fd1-8553-6c5aeabc864c"})
    assert till.receipts() == []
