"""A site's rows as a file: exact, of one moment, and readable by a later layout."""

from __future__ import annotations

import io
import json
import zipfile
from decimal import Decimal
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from app.modules.storage.export import ExportUnreadable, drop_site_rows, export_site, import_site, snapshot
from tests.unit.modules_storage.conftest import SITE_A, SITE_B, Stored, manifest

V1 = """
  people:
    fields:
      name: {type: text}
      height: {type: decimal, scale: 10}
      tags: {type: tags}
      extra: {type: json}
      boss: {type: ref, to: people}
"""
V2 = """
  contacts:
    was: people
    fields:
      full_name: {type: text, was: name, search: true}
      height: {type: decimal, scale: 10}
      tags: {type: tags}
"""


def exported(stored: Stored) -> io.BytesIO:
    file = io.BytesIO()
    with snapshot(stored.owner):
        export_site(stored.owner, schema=stored.schema, layout=stored.layout, site_id=SITE_A, into=file)
    return file


def imported(stored: Stored, file: io.BytesIO) -> dict[str, int]:
    return import_site(stored.owner, schema=stored.schema, layout=stored.layout, site_id=SITE_A, source=file)


def fill(stored: Stored) -> None:
    stored.provision(manifest(V1))
    with stored.site(SITE_A) as connection:
        boss = uuid4()
        stored.insert(connection, "people", id=boss, name="Ann", height=Decimal("1.7000000001"), tags=["a", "b"])
        for _ in range(600):
            stored.insert(connection, "people", name="Line\nbreak", boss=boss)
        connection.execute("UPDATE people SET boss = (SELECT max(id::text)::uuid FROM people) WHERE id = %s", [boss])
    with stored.site(SITE_B) as connection:
        stored.insert(connection, "people", SITE_B, name="Other")


def rows(stored: Stored, columns: str = "*") -> list[tuple[object, ...]]:
    with stored.site(SITE_A) as connection:
        return connection.execute(f"SELECT {columns} FROM people ORDER BY id".encode()).fetchall()


def test_rows_come_back_exactly_even_when_they_refer_in_a_circle(stored: Stored) -> None:
    fill(stored)
    before = rows(stored)
    file = exported(stored)
    with stored.owner.transaction():
        drop_site_rows(stored.owner, schema=stored.schema, layout=stored.layout, site_id=SITE_A)
    assert rows(stored) == []
    assert imported(stored, file) == {"people": 601, "_series": 0, "_history": 0}
    assert rows(stored) == before
    with stored.site(SITE_B) as connection:
        assert connection.execute("SELECT name FROM people").fetchall() == [("Other",)]


def test_a_later_layout_finds_the_fields_that_it_still_has(stored: Stored) -> None:
    fill(stored)
    before = rows(stored, "id, name, height, tags, version, custom")
    file = exported(stored)
    stored.drop()
    stored.provision(manifest(V1), manifest(V2, version="2.0.0"))
    imported(stored, file)
    assert rows(stored, "id, name, height, tags, version, custom") == before


def test_the_rows_of_another_site_are_not_in_the_file(stored: Stored) -> None:
    fill(stored)
    with zipfile.ZipFile(exported(stored)) as package:
        lines = package.read("people.jsonl").decode().splitlines()
    assert {json.loads(line)["site_id"] for line in lines} == {str(SITE_A)}


def test_a_row_changed_meanwhile_stops_the_removal(stored: Stored) -> None:
    fill(stored)
    statement = sql.SQL("UPDATE {} SET name = 'Late'").format(sql.Identifier(stored.schema, "people"))

    def remove() -> None:
        with snapshot(stored.owner):
            export_site(stored.owner, schema=stored.schema, layout=stored.layout, site_id=SITE_A, into=io.BytesIO())
            with stored.site(SITE_A) as connection:
                connection.execute(statement)
            drop_site_rows(stored.owner, schema=stored.schema, layout=stored.layout, site_id=SITE_A)

    with pytest.raises(psycopg.errors.SerializationFailure):
        remove()
    assert len(rows(stored)) == 601


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x05\x06" + b"\x00" * 18])
def test_a_file_that_is_no_export_is_refused(stored: Stored, content: bytes) -> None:
    stored.provision(manifest(V1))
    with pytest.raises(ExportUnreadable):
        imported(stored, io.BytesIO(content))
