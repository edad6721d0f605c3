"""Values of every type come back as they were; files while their bytes are kept; lines of a ledger with those they balance."""

from __future__ import annotations

import io
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.db.base import db
from app.db.scope import platform_scope
from app.db.session import transaction
from app.runtime.files.actions import store_file
from app.runtime.files.queries import upload_fields
from tests.support import files
from tests.unit.installs.conftest import Desk
from tests.unit.rollouts.gone_back import Stage

OLD = """
manifest: 1
slug: {slug}
name: Wide
summary: A field of every type.
version: 1.0.0
type: app
tables:
  things:
    label: {{one: Thing, many: Things}}
    audit: true
    fields:
      name: {{type: text, required: true}}
      body: {{type: richtext}}
      count: {{type: integer, default: 3}}
      weight: {{type: decimal, scale: 10}}
      share: {{type: percent}}
      price: {{type: money}}
      open: {{type: boolean}}
      day: {{type: date}}
      at: {{type: time}}
      moment: {{type: datetime}}
      lasts: {{type: duration}}
      mail: {{type: email}}
      phone: {{type: phone}}
      site: {{type: url}}
      color: {{type: color}}
      tags: {{type: tags}}
      place: {{type: address}}
      point: {{type: geo}}
      hours: {{type: hours}}
      data: {{type: json}}
      stars: {{type: rating}}
      who: {{type: user}}
      slug: {{type: slug, from: name}}
      photo: {{type: file, accept: [image], max_mb: 1}}
      papers: {{type: files, accept: [pdf], max: 3, max_mb: 2}}
    access: {{staff: [read, create, update, delete]}}
  entries:
    fields:
      text: {{type: text}}
      lot: {{type: text, required: true}}
      debit: {{type: money, default: 0}}
      credit: {{type: money, default: 0}}
    ledger: {{balance: [debit, credit], group: lot}}
    access: {{staff: [read, create]}}
"""
NEW = (
    OLD.replace("1.0.0", "2.0.0")
    .replace("      body:", "      note: {{type: text}}\n      body:")
    .replace("      lot:", "      memo: {{type: text}}\n      lot:")
)
WIDE: dict[str, Any] = {
    "name": "All of it", "body": "<p>Hello <strong>you</strong></p>", "count": None, "weight": "1234567890.0123456789",
    "share": 12.5, "price": 123456, "open": False, "day": "2026-03-14", "at": "14:30:00",
    "moment": "2026-03-14T09:26:53.123456Z", "lasts": 5400, "mail": "a@example.com", "phone": "+351210000001",
    "site": "https://example.com/a?b=c", "color": "#aabbcc", "tags": ["red", "green"],
    "place": {"line1": "Rua 1", "city": "Lisboa", "country": "PT"}, "point": {"lat": 38.7, "lng": -9.1},
    "hours": {"mon": [["09:00", "12:00"]]}, "data": {"n": 1.5, "deep": [1, {"x": None}], "t": "1.5"}, "stars": 4,
}  # fmt: skip
OWN = ("created_at", "updated_at", "version")


def wide(desk: Desk) -> Stage:
    return Stage(desk, OLD, NEW)


def without(values: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


def send(stage: Stage, content: bytes, name: str) -> str:
    data = stage.data()
    fields = upload_fields(data.context, data.access)
    return str(store_file(data.context, data.access, io.BytesIO(content), name=name, fields=fields).id)


def test_values_of_every_type_come_back_as_they_were(desk: Desk) -> None:
    stage = wide(desk)
    plain = stage.insert("things", name="Plain")
    stage.upgrade()
    mine = {**WIDE, "who": str(desk.actor.id)}
    made = stage.insert("things", **mine)
    stage.data().update("things", UUID(plain), mine | {"name": "Changed", "slug": "changed"})
    written = {one: stage.get("things", one) for one in (made, plain)}
    stage.back()
    stage.rows()  # each can be shown
    stage.put_back()
    assert {state for state, _ in stage.marks().values()} == {"put_back"}
    for one, then in written.items():
        assert without(stage.get("things", one), *OWN) == without(then, *OWN, "note")
    assert {one.state for one in stage.rows().values()} == {"done"}
    assert desk.rows(stage.old, "SELECT weight::text FROM things WHERE id = %s", made) == [("1234567890.0123456789",)]


def test_a_number_of_many_digits_is_not_taken_for_a_later_change(desk: Desk) -> None:
    stage = wide(desk)
    made = stage.insert("things", **WIDE)
    stage.upgrade()
    stage.data().update("things", UUID(made), {"name": "Other", "weight": "1234567890.0123456780"})
    stage.back()
    assert [one.state for one in stage.rows().values()] == ["open"]
    stage.put_back()
    assert [one.state for one in stage.rows().values()] == ["done"]
    weight = "SELECT name, weight::text FROM things WHERE id = %s"
    assert desk.rows(stage.old, weight, made) == [("Other", "1234567890.0123456780")]


def test_files_come_back_while_they_are_kept_and_are_named_when_they_are_not(desk: Desk) -> None:
    stage = wide(desk)
    stage.upgrade()
    photo, one, two = (
        send(stage, files.picture(), "me.png"),
        send(stage, files.PDF, "one.pdf"),
        send(stage, files.PDF, "two.pdf"),
    )
    made = stage.insert("things", name="Card", photo=photo, papers=[one, two])
    stage.back()
    with platform_scope("test"), transaction(db.session()) as session:
        session.execute(text("UPDATE module_files SET state = 'released' WHERE id = :id"), {"id": photo})
        session.execute(text("DELETE FROM module_files WHERE id = :id"), {"id": one})
    [row] = stage.rows().values()
    assert row.files_gone == ("one.pdf",)
    stage.put_back()
    assert stage.marks() == {1: ("put_back", [{"field": "papers", "why": "one.pdf is gone"}])}
    card = stage.get("things", made)
    assert (card["photo"]["id"], [paper["id"] for paper in card["papers"]]) == (photo, [two])
    with platform_scope("test"), transaction(db.session()) as session:
        assert session.scalar(text("SELECT state FROM module_files WHERE id = :id"), {"id": photo}) == "attached"


def test_lines_of_an_entry_come_together_and_one_that_does_not_balance_is_refused_alone(desk: Desk) -> None:
    stage = wide(desk)
    stage.upgrade()
    with stage.data().transaction() as tx:
        for lot in ("a", "b"):
            tx.insert("entries", {"text": f"{lot} in", "lot": lot, "debit": 100})
            tx.insert("entries", {"text": f"{lot} out", "lot": lot, "credit": 100})
    stage.back()
    rows = stage.rows()
    stage.put_back([row.position for row in rows.values() if row.title != "a in"])
    assert sorted(row["text"] for row in stage.data().list("entries").records) == ["b in", "b out"]
    state, [why] = stage.marks()[rows["created a out"].position]
    assert (state, why["field"]) == ("refused", "lot")
    stage.put_back()
    assert len(stage.data().list("entries").records) == 4
