"""Paging by the last record seen: the order, the condition "after it" and the cursor that carries it.

Order: each sort key, then the id, in the last key's direction. Records without a value come last in both directions,
but for fields that are required, where the index's own order stands.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from app.errors import FieldError
from app.modules.kinds import SQL_TYPES, SYSTEM_COLUMNS, Kind
from app.modules.values import WrongValue, read_text
from app.runtime.data.model import TableModel
from app.runtime.data.shapes import shape_of, values_of
from app.runtime.data.sqltext import PARAM, commas, q
from app.runtime.query import Query, QueryInvalid, Sort

MOST_FINGERPRINTS = 500


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the order. nulls_last: where records without a value stand."""

    value: sql.Composable
    kind: Kind
    descending: bool
    nulls_last: bool
    never_null: bool = False


DEFAULT_SORT = (Sort("created_at", descending=True),)


def keys_of(model: TableModel, sort: Sequence[Sort]) -> tuple[Key, ...]:
    """The whole order of a list; newest first when nothing is asked for."""
    wanted = tuple(sort) or DEFAULT_SORT
    found = [_key(model, one) for one in wanted if one.field != "id"]
    named = next((one for one in wanted if one.field == "id"), None)
    last = named or Sort("id", wanted[-1].descending)
    return (*found, _key(model, last))


def _key(model: TableModel, sort: Sort) -> Key:
    field = model.spec.fields.get(sort.field)
    never_null = sort.field in SYSTEM_COLUMNS
    sure = never_null or (field is not None and field.required)
    return Key(
        value=model.value(sort.field),
        kind=model.columns[sort.field].kind,
        descending=sort.descending,
        nulls_last=not (sure and sort.descending),
        never_null=never_null,
    )


def order_sql(keys: Sequence[Key]) -> sql.Composable:
    parts: list[sql.Composable] = []
    for key in keys:
        direction = "DESC" if key.descending else "ASC"
        nulls = " NULLS LAST" if key.descending and key.nulls_last else ""  # elsewhere PostgreSQL's own is meant
        parts.append(q("{} " + direction + nulls, key.value))
    return commas(parts)


def texts_sql(keys: Sequence[Key]) -> sql.Composable:
    """The values of the keys as texts, for the cursor."""
    return commas([q("{}::text", key.value) for key in keys])


def after_sql(keys: Sequence[Key], nulls: Sequence[bool]) -> sql.Composable:
    """True for what comes after the cursor. nulls: which of its values are null; only the others are parameters."""
    if all(key.never_null for key in keys) and len({key.descending for key in keys}) == 1:
        # one comparison of rows, which an index over the keys answers
        left = commas([key.value for key in keys])
        right = commas([_param(key) for key in keys])
        return q("({}) " + ("<" if keys[0].descending else ">") + " ({})", left, right)
    found: sql.Composable = sql.SQL("FALSE")
    for key, null in reversed(list(zip(keys, nulls, strict=True))):
        same = q("{} IS NULL", key.value) if null else q("{} = {}", key.value, _param(key))
        found = q("({} OR ({} AND {}))", _beyond(key, null), same, found)
    return found


def _beyond(key: Key, null: bool) -> sql.Composable:
    if null:
        return sql.SQL("FALSE") if key.nulls_last else q("{} IS NOT NULL", key.value)
    beyond = q("{} " + ("<" if key.descending else ">") + " {}", key.value, _param(key))
    return q("({} OR {} IS NULL)", beyond, key.value) if key.nulls_last and not key.never_null else beyond


def _param(key: Key) -> sql.Composable:
    return q("{}::" + SQL_TYPES[key.kind], PARAM)


def after_values(keys: Sequence[Key], values: Sequence[Any]) -> list[Any]:
    """The parameters of after_sql()."""
    given = [value for value in values if value is not None]
    if all(key.never_null for key in keys) and len({key.descending for key in keys}) == 1:
        return given
    return [value for value in values if value is not None for _ in range(2)]


def fingerprint(model: TableModel, query: Query) -> str:
    """What a cursor is bound to: module version, table, order and every filter value."""
    key = (query.sort, shape_of(query.where))
    fixed = model.fingerprints.get(key)
    if fixed is None:
        if len(model.fingerprints) > MOST_FINGERPRINTS:
            model.fingerprints.clear()
        fixed = model.fingerprints[key] = repr((model.module.key, model.name, *key))
    bound = f"{fixed}{values_of(query.where)!r}{query.q}"
    return hashlib.blake2s(bound.encode(errors="replace"), digest_size=9).hexdigest()


def encode_cursor(bound_to: str, texts: Sequence[str | None]) -> str:
    """An opaque text; what it holds is read back as untrusted."""
    return (
        base64.urlsafe_b64encode(json.dumps([bound_to, *texts], separators=(",", ":")).encode()).rstrip(b"=").decode()
    )


def decode_cursor(cursor: str, keys: Sequence[Key], bound_to: str) -> tuple[Any, ...]:
    """The values of the keys. Raises QueryInvalid when the cursor was made for another list, or by nobody."""
    try:
        raw = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        head, texts = raw[0], raw[1:]
        if head != bound_to or len(texts) != len(keys):
            raise ValueError
        return tuple(_value(key, text) for key, text in zip(keys, texts, strict=True))
    except (ValueError, TypeError, LookupError, RecursionError, binascii.Error, WrongValue):
        detail = "this cursor belongs to another list; start again without it"
        raise QueryInvalid(detail, errors=[FieldError("/cursor", "cursor", detail)]) from None


def _value(key: Key, text: Any) -> Any:
    if text is None:
        if key.never_null:
            raise ValueError
        return None
    if not isinstance(text, str):
        raise TypeError
    return read_text(key.kind, text)
