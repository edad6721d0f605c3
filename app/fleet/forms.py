"""What the fleet's screens are asked: filters of the address, the place in a list, a selection."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl
from uuid import UUID

from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from app.errors import NotFound
from app.fleet.queries import DRIFT, HEALTH, Cell, Column, Wanted, all_cells, chosen_cells, narrowed
from app.lib.ids import decode


@dataclass(frozen=True, slots=True)
class Asked:
    """The filters as they were asked for, and what they mean. modules: slugs; clients: public ids."""

    wanted: Wanted
    words: str
    clients: list[str]
    modules: list[str]
    health: list[str]
    drift: list[str]

    @property
    def any(self) -> bool:
        return bool(self.words or self.clients or self.modules or self.health or self.drift)


def read_filters(args: MultiDict[str, str], columns: list[Column]) -> Asked:
    """Filters from an address. What is not known is passed over; ids of others find nothing anyway."""
    by_slug = {column.slug: column.id for column in columns}
    modules = [slug for slug in args.getlist("module") if slug in by_slug]
    clients = [text for text in args.getlist("client") if _id("cli", text) is not None]
    health = [word for word in args.getlist("state") if word in HEALTH]
    drift = [word for word in args.getlist("drift") if word in DRIFT]
    words = args.get("q", "").replace("\x00", "").strip()[:100]
    wanted = Wanted(
        words=words,
        clients=tuple(found for text in clients if (found := _id("cli", text)) is not None),
        modules=tuple(by_slug[slug] for slug in modules),
        health=tuple(health),
        drift=tuple(drift),
    )
    return Asked(wanted, words, clients, modules, health, drift)


def read_selection(
    db: Session, form: MultiDict[str, str], *, agency_id: UUID, columns: list[Column], now: datetime
) -> list[Cell]:
    """The installs a form names: one by one (`ids`), by row (`sites`), or `all` that match the filters in `query`.

    A row stands for what the filters leave of it. Raises NotFound for an id that is none.
    """
    asked = read_filters(MultiDict(_pairs(form.get("query", ""))), columns)
    wanted = asked.wanted
    if module := next((one.id for one in columns if one.slug == form.get("of_module", "")), None):
        wanted = narrowed(wanted, module_id=module)
    if form.get("all") == "1":
        return all_cells(db, agency_id=agency_id, wanted=wanted, now=now)
    ids = {decode("ins", text) for text in form.getlist("ids")}
    rows = {decode("ste", text) for text in form.getlist("sites")}
    found = {cell.id: cell for cell in chosen_cells(db, agency_id=agency_id, installs=tuple(ids), now=now)}
    if rows:
        matching = all_cells(db, agency_id=agency_id, wanted=wanted, now=now)
        found |= {cell.id: cell for cell in matching if cell.site_id in rows}
    return list(found.values())


def column_named(known: list[Column], slug: str) -> Column:
    """The module of an address. Raises NotFound."""
    found = next((one for one in known if one.slug == slug), None)
    if found is None:
        raise NotFound()
    return found


def write_cursor(after: tuple[str, UUID] | None) -> str | None:
    """Where the next page begins, for an address."""
    if after is None:
        return None
    return base64.urlsafe_b64encode(json.dumps([after[0], after[1].hex]).encode()).decode().rstrip("=")


def read_cursor(text: str) -> tuple[str, UUID] | None:
    """Where a page begins; None for the first. Raises NotFound for what nobody was given."""
    if not text:
        return None
    try:
        key, hexed = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if not isinstance(key, str) or "\x00" in key:
            raise ValueError(key)
        return key, UUID(hexed)
    except (ValueError, TypeError, AttributeError) as error:
        raise NotFound() from error


def _pairs(query: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query, max_num_fields=200)
    except ValueError as error:
        raise NotFound() from error


def _id(prefix: str, text: str) -> UUID | None:
    try:
        return decode(prefix, text)
    except NotFound:
        return None
