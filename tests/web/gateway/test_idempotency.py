"""A write that is sent again: the same answer, nothing twice."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import text

from app.config import Config
from app.db.base import db
from app.db.roles import RUNTIME, role_url
from app.db.scope import platform_scope
from app.db.session import transaction
from app.gateway import jobs
from tests.web.gateway.conftest import Shop
from tests.web.gateway.test_errors import problem


def key(value: str | None = None) -> dict[str, str]:
    return {"Idempotency-Key": value or str(uuid4())}


def kept(shop: Shop) -> list[Any]:
    with platform_scope("test"), transaction(db.session()) as session:
        found = session.execute(
            text("SELECT key, status FROM idempotency_keys WHERE site_id = :site"), {"site": shop.site.id}
        )
        return [tuple(row) for row in found]


def test_P4_the_same_write_again_gives_the_same_answer(shop: Shop) -> None:
    again = key()
    first, second = (shop.post("/products", {"name": "Lamp"}, headers=again) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.data == first.data
    names = ("Location", "ETag", "Content-Type")
    assert [second.headers[name] for name in names] == [first.headers[name] for name in names]
    assert (first.headers.get("Idempotency-Replayed"), second.headers["Idempotency-Replayed"]) == (None, "true")
    assert first.headers["X-Request-Id"] != second.headers["X-Request-Id"]
    assert shop.get("/products?count=exact").get_json()["count"] == 1
    assert len(shop.events()["data"]) == 1


def test_P4_every_write_can_be_repeated(shop: Shop) -> None:
    record = shop.made("/products", {"name": "Lamp"})
    change, delete = key(), key()
    for _ in range(2):
        answer = shop.call("PATCH", f"/products/{record['id']}", json={"price": 5}, headers=change)
        assert (answer.status_code, answer.get_json()["data"]["version"]) == (200, 2)
    for _ in range(2):
        assert shop.call("DELETE", f"/products/{record['id']}", headers=delete).status_code == 204
    batch = key()
    both = [shop.post("/products", [{"name": "A"}, {"name": "B"}], headers=batch).data for _ in range(2)]
    assert both[0] == both[1]
    assert shop.get("/products?count=exact").get_json()["count"] == 2


def test_P4_fifty_equal_posts_at_once_make_one_record(shop: Shop) -> None:
    again = key()
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: shop.post("/products", {"name": "Lamp"}, headers=again), range(50)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.data for answer in answers if answer.status_code == 201}) == 1
    assert all(answer.get_json()["code"] == "idempotency_running" for answer in answers if answer.status_code == 409)
    assert shop.get("/products?count=exact").get_json()["count"] == 1


def test_P4_another_body_under_the_same_key_is_refused(shop: Shop) -> None:
    again = key()
    shop.post("/products", {"name": "Lamp"}, headers=again)
    problem(shop.post("/products", {"name": "Chair"}, headers=again), 422, "idempotency_mismatch")
    problem(shop.post("/orders", {"name": "Lamp"}, headers=again), 422, "idempotency_mismatch")
    assert shop.get("/products?count=exact").get_json()["count"] == 1


def test_P4_while_the_first_runs_the_second_is_told_so(shop: Shop, config: Config) -> None:
    again = key()
    credential = shop.key()[0]  # only to learn how a lock is named
    assert credential is not None
    with psycopg.connect(role_url(config.database_url, config.secret_keys[0], RUNTIME)) as running:
        running.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{_key_id(shop)}:{again['Idempotency-Key']}"]
        )
        problem(shop.post("/products", {"name": "Lamp"}, headers=again), 409, "idempotency_running")
    # the first ended without an answer, as in a crash: its key is free at once
    assert shop.post("/products", {"name": "Lamp"}, headers=again).status_code == 201


def test_a_fault_of_ours_leaves_neither_record_nor_answer(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    again = key()
    with monkeypatch.context() as patched:
        patched.setattr("app.gateway.idempotency._keep", lambda *_: 1 / 0)
        problem(shop.post("/products", {"name": "Lamp"}, headers=again), 500, "internal")
    assert (kept(shop), shop.get("/products").get_json()["data"]) == ([], [])
    assert shop.post("/products", {"name": "Lamp"}, headers=again).status_code == 201


def test_a_refusal_is_an_answer_too(shop: Shop) -> None:
    again = key()
    first, second = (shop.post("/products", {"price": -1}, headers=again) for _ in range(2))
    problem(first, 422, "invalid")
    assert (second.status_code, second.mimetype, second.data) == (422, "application/problem+json", first.data)
    assert shop.get("/products").get_json()["data"] == []


def test_a_missing_right_is_not_kept(shop: Shop) -> None:
    _, reader = shop.key(scopes=["read"])
    problem(shop.post("/products", {"name": "Lamp"}, token=reader, headers=key()), 403, "insufficient_scope")
    assert kept(shop) == []


def test_keys_of_two_credentials_do_not_meet(shop: Shop, elsewhere: Shop) -> None:
    again, other = key(), shop.key()[1]
    made = [
        shop.post("/products", {"name": "One"}, headers=again),
        shop.post("/products", {"name": "Two"}, headers=again, token=other),
        elsewhere.post("/products", {"name": "Three"}, headers=again),
    ]
    assert [answer.get_json()["data"]["name"] for answer in made] == ["One", "Two", "Three"]


@pytest.mark.parametrize("value", ["", " ", "a b", "x" * 256, "é"])
def test_a_key_that_is_none_is_refused(shop: Shop, value: str) -> None:
    answer = shop.post("/products", {"name": "Lamp"}, headers={"Idempotency-Key": value.encode().decode("latin-1")})
    problem(answer, 400, "bad_idempotency_key")
    assert shop.get("/products").get_json()["data"] == []


def test_a_quoted_key_is_the_same_key(shop: Shop) -> None:
    """The draft standard writes it as a structured-field string."""
    plain, quoted = (shop.post("/products", {"name": "Lamp"}, headers=key(value)) for value in ("abc-1", '"abc-1"'))
    assert quoted.data == plain.data


def test_answers_are_forgotten_after_a_day(shop: Shop) -> None:
    old, young = key(), key()
    shop.post("/products", {"name": "Old"}, headers=old)
    with platform_scope("test"), transaction(db.session()) as session:
        session.execute(
            text("UPDATE idempotency_keys SET created_at = now() - interval '25 hours' WHERE site_id = :s"),
            {"s": shop.site.id},
        )
    shop.post("/products", {"name": "Young"}, headers=young)
    jobs.forget_answers()
    assert kept(shop) == [(young["Idempotency-Key"], 201)]


def _key_id(shop: Shop) -> str:
    with platform_scope("test"), transaction(db.session()) as session:
        digest = hashlib.sha256(shop.token.encode()).digest()
        return str(session.scalar(text("SELECT id FROM api_keys WHERE token_hash = :h"), {"h": digest}))


def test_P4_the_key_of_a_write_does_not_answer_for_one_with_another_condition_or_query(shop: Shop) -> None:
    record, again = shop.made("/products", {"name": "Lamp"}), key()
    path, change = f"/products/{record['id']}", {"price": 5}
    assert shop.call("PATCH", path, json=change, headers={**again, "If-Match": '"1"'}).status_code == 200
    other_condition = shop.call("PATCH", path, json=change, headers={**again, "If-Match": '"7"'})
    other_query = shop.call("PATCH", f"{path}?a=1", json=change, headers={**again, "If-Match": '"1"'})
    assert [answer.get_json()["code"] for answer in (other_condition, other_query)] == ["idempotency_mismatch"] * 2
