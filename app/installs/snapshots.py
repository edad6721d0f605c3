"""The copy of the records that an upgrade touches, and the way to put them back. As the owner, in jobs only.

Touched are the tables that the new version sees in another shape; copied with them is every table that refers to one of
these, or is referred to: only together can rows be put back without breaking a reference.
"""

from __future__ import annotations

import json
import zipfile
from uuid import UUID

import psycopg

from app.lib.storage import storage
from app.modules.storage.export import drop_site_rows, export_site, import_site, snapshot
from app.modules.storage.layout import Layout, TableLayout
from app.modules.storage.merge import align


def snapshot_name(agency_id: UUID, move_id: UUID) -> str:
    """Where the copy of a move is kept."""
    return f"moves/{agency_id}/{move_id}/records.zip"


def touched(union: Layout, held: Layout, wanted: Layout) -> Layout:
    """The part of the union that has to be copied before a site goes from one version's view of it to another's."""
    new = align(union, wanted).physical
    changed = {table.name for table in held.tables if _differs(table, new.get(table.name))}
    return together(union, changed)


def together(union: Layout, names: set[str]) -> Layout:
    """These tables of a layout and all that hang together with them by references."""
    linked: dict[str, set[str]] = {table.name: set() for table in union.tables}
    for table in union.tables:
        targets = {one.target for one in table.references} | {one.target for one in table.links}
        targets |= {one.target for one in table.capacity}
        for target in targets & linked.keys():
            linked[table.name].add(target)
            linked[target].add(table.name)
    found, waiting = set(), list(names & linked.keys())
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += linked[name]
    return Layout(tuple(table for table in union.tables if table.name in found))


def _differs(held: TableLayout, wanted: TableLayout | None) -> bool:
    if wanted is None:
        return True

    def shape(table: TableLayout) -> tuple[object, ...]:
        columns = frozenset((one.name, one.type, one.required) for one in table.columns)
        links = frozenset(one.name for one in table.links)
        # rules hold conditions, which are dictionaries
        return columns, links, frozenset(table.checks), frozenset(map(repr, table.rules)), frozenset(table.indexes)

    return shape(held) != shape(wanted)


def keep_copy(owner: psycopg.Connection, *, schema: str, part: Layout, site_id: UUID, name: str) -> None:
    """Copy the site's rows of these tables; the copy appears whole or not at all."""
    with snapshot(owner), storage().writing(name) as file:
        export_site(owner, schema=schema, layout=part, site_id=site_id, into=file, helpers=False)


def rows_of_copy(name: str) -> int:
    """How many rows a copy has. Raises ObjectMissing."""
    with storage().reading(name) as file, zipfile.ZipFile(file) as package:
        return sum(json.loads(package.read("export.json"))["rows"].values())


def put_back(owner: psycopg.Connection, *, schema: str, union: Layout, part: Layout, site_id: UUID, name: str) -> None:
    """Make the site's rows of these tables what the copy says, in one transaction. Raises ObjectMissing."""
    with owner.transaction(), storage().reading(name) as file:
        drop_site_rows(owner, schema=schema, layout=part, site_id=site_id, helpers=False)
        import_site(owner, schema=schema, layout=union, site_id=site_id, source=file, helpers=False)


def part_of(union: Layout, names: list[str]) -> Layout:
    """The named physical tables of a union."""
    return Layout(tuple(table for table in union.tables if table.name in names))
