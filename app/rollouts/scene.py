"""A copy of one install's records in a schema that only its transaction sees, and that is gone when that ends.

Nothing of it is ever committed: neither a failure nor a killed worker leaves anything behind, and nobody else can look.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from uuid import uuid4

import psycopg
from psycopg import sql

from app.db.pools import owner_connection
from app.errors import Conflict
from app.installs.inheritance import Level
from app.installs.records import fill_defaults
from app.lib.ids import uuid7
from app.modules.consent import grant_of
from app.modules.manifest import Manifest
from app.modules.models import Version
from app.modules.storage.apply import apply_plan, needed_layout
from app.modules.storage.census import Key, census
from app.modules.storage.desired import desired_layout
from app.modules.storage.export import enter_site, relations_of
from app.modules.storage.layout import Layout, TableLayout
from app.modules.storage.merge import align
from app.modules.storage.plan import plan
from app.runtime.context import InstallContext, in_force
from app.runtime.data import Access, Transaction
from app.runtime.data.scoped import Connection, Scope
from app.runtime.data.writes import Settings

MOST_ROWS = 500_000


class TooManyRecords(Conflict):
    """A rehearsal copies the records of the site, at most 500,000 of them."""

    code = "too_many_records"


@dataclass(frozen=True, slots=True)
class Moved:
    """What going to the new version did. took_ms: the tables' changes and the defaults; left: rules that rows contradict."""

    steps: list[str]
    left: list[str]
    took_ms: float


@dataclass(frozen=True, slots=True)
class TableReport:
    """One table of the version that is installed. changed: rows whose values are others than before; filled: rows that
    got a default in a new field; lost: rows that are gone.
    """

    table: str
    before: int
    after: int
    changed: int
    lost: int
    filled: int


@dataclass
class Scene:
    """The copy. context: the install as it is, over the copied tables; rows: how many were copied."""

    context: InstallContext
    plain: psycopg.Connection
    connection: Connection
    rows: int = 0
    names: dict[str, str] = field(default_factory=dict)  # physical table: its temporary twin

    def transaction(self, context: InstallContext, access: Access, *, now: datetime) -> Transaction:
        """The scene as one caller, in the version of the context."""
        return Transaction(context, access, self.connection, Settings(now, uuid7()))

    @property
    def schema(self) -> str:
        return self.context.schema

    def as_owner(self) -> None:
        """Be the owner again, inside the site's wall, with history and rules against writing out of the way."""
        context = self.context
        self.connection.run(Scope(self.plain.info.user, context.site_id, context.agency_id, "", "", ""))
        enter_site(self.plain, context.site_id)

    def remember(self) -> None:
        """Keep every row as it is now, to compare with later."""
        self.as_owner()
        for number, table in enumerate(self.context.physical.tables):
            twin = self.names[table.name] = f"kept_{number}"
            self.plain.execute(
                sql.SQL("CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT id, to_jsonb(t) AS old FROM {} t").format(
                    sql.Identifier(twin), sql.Identifier(self.schema, table.name)
                )
            )

    def move(
        self, old: Manifest, new: Manifest, version: Version, needed: list[Manifest], levels: Sequence[Level]
    ) -> tuple[InstallContext, Moved]:
        """Go to the new version as an upgrade would; returns the install as that version sees it.

        levels: of its settings; where the version cannot have a value, its default is taken.
        """
        self.as_owner()
        union = self.context.physical
        begin = time.perf_counter()
        made = plan(union, needed_layout([*needed, new]), schema=self.schema, role=self.context.role)
        layout = apply_plan(self.plain, made)
        fill_defaults(
            self.plain, schema=self.schema, layout=layout.for_manifest(new), manifest=new, before=old,
            site_id=self.context.site_id,
        )  # fmt: skip
        took_ms = (time.perf_counter() - begin) * 1000
        parts = made.layout.to_dict() != layout.to_dict()
        left = [
            step.sentence for step in made.steps if step.part is not None and _missing(layout, step.table, step.part)
        ]
        settings, sealed = in_force(new, levels)
        context = replace(
            self.context, settings=MappingProxyType(settings), sealed=MappingProxyType(sealed),
            version_id=version.id, version=version.version, digest=version.digest, manifest=new,
            layout=layout.for_manifest(new), physical=layout, layout_key=f"{self.context.layout_key}:{version.digest}",
            granted=grant_of(new),
        )  # fmt: skip
        return context, Moved(made.sentences, left if parts else [], took_ms)

    def compare(self, after: InstallContext) -> list[TableReport]:
        """Every table that the old version sees: what of its rows is another now."""
        self.as_owner()
        seen = self.context.layout.physical
        return [
            self._compared(seen[table.name], list(after.physical.physical[table.name].physical))
            for table in self.context.physical.tables
            if table.name in seen
        ]

    def _compared(self, seen: TableLayout, columns: list[str]) -> TableReport:
        """Of columns the old version does not see, which other sites may have brought, only new values count: defaults."""
        statement = sql.SQL(
            "SELECT count(k.id), count(t.id), count(*) FILTER (WHERE k.id IS NOT NULL AND t.id IS NOT NULL"
            " AND to_jsonb(t) - %(unseen)s::text[] <> k.old - %(unseen)s::text[]), count(*) FILTER (WHERE t.id IS NULL),"
            " count(*) FILTER (WHERE k.id IS NOT NULL AND t.id IS NOT NULL"
            " AND jsonb_strip_nulls(to_jsonb(t)) - %(seen)s::text[] <> jsonb_strip_nulls(k.old) - %(seen)s::text[])"
            " FROM {} k FULL JOIN {} t ON t.id = k.id"
        ).format(sql.Identifier(self.names[seen.name]), sql.Identifier(self.schema, seen.name))
        own = set(seen.physical)
        given = {"seen": sorted(own), "unseen": [name for name in columns if name not in own]}
        row = self.plain.execute(statement, given).fetchone()
        assert row is not None
        return TableReport(seen.tables[-1], *row)

    def counts(self, new: Manifest) -> tuple[Layout, Layout, dict[Key, int]]:
        """The old version's view, the new one's, and the census between them. Before move()."""
        self.as_owner()
        held = self.context.layout
        wanted = align(self.context.physical, desired_layout(new))
        found: dict[Key, int] = {}
        for one in census(held, wanted, schema=self.schema):
            row = self.plain.execute(one.statement).fetchone()
            found.update(zip(one.keys, (int(number) for number in row or ()), strict=True))
        return held, wanted, found


def _missing(layout: Layout, table: str, part: object) -> bool:
    one = layout.physical[table]
    kinds = (*one.checks, *one.rules, *one.indexes, *one.no_overlap, *one.columns)
    return part not in kinds


@contextmanager
def scene(context: InstallContext) -> Iterator[Scene]:
    """Copy an install's records. Raises TooManyRecords."""
    with owner_connection() as plain:
        connection = Connection(plain)
        short = f"try{uuid4().hex[:12]}"
        made = replace(context, short_id=short, schema=f"mod_{short}", layout_key=f"scene:{short}")
        here = Scene(made, plain, connection)
        try:
            here.as_owner()
            plain.execute("SET LOCAL idle_in_transaction_session_timeout = '10min'")
            plain.execute("SET LOCAL statement_timeout = '5min'")
            here.rows = _count(plain, context)
            _tables(plain, made)
            _copy(plain, context, made)
            yield here
        finally:
            connection.rollback()


def _count(plain: psycopg.Connection, context: InstallContext) -> int:
    rows = 0
    for name in relations_of(context.physical):
        statement = sql.SQL("SELECT count(*) FROM (SELECT FROM {} WHERE site_id = %s LIMIT %s) t").format(
            sql.Identifier(context.schema, name)
        )
        row = plain.execute(statement, [context.site_id, MOST_ROWS + 1]).fetchone()
        rows += row[0] if row else 0
        if rows > MOST_ROWS:
            raise TooManyRecords()
    return rows


def _tables(plain: psycopg.Connection, context: InstallContext) -> None:
    """The schema as the module's is. The module's own role is used: one more would keep others from provisioning."""
    role = sql.Identifier(context.role)
    row = plain.execute("SELECT pg_has_role(current_user, %s, 'SET')", [context.role]).fetchone()
    if row is None or not row[0]:  # an owner that is no superuser may not enter it otherwise
        plain.execute(sql.SQL("GRANT {} TO CURRENT_USER WITH INHERIT FALSE, SET TRUE").format(role))
    apply_plan(plain, plan(None, context.physical, schema=context.schema, role=context.role))


def _copy(plain: psycopg.Connection, source: InstallContext, target: InstallContext) -> None:
    columns = {table.name: [one.name for one in table.writable] for table in source.physical.tables}
    links = ["site_id", "record_id", "target_id", "position"]
    for name in relations_of(source.physical):
        names = sql.SQL(", ").join(sql.Identifier(one) for one in columns.get(name, links))
        plain.execute(
            sql.SQL("INSERT INTO {} ({names}) SELECT {names} FROM {} WHERE site_id = %s").format(
                sql.Identifier(target.schema, name), sql.Identifier(source.schema, name), names=names
            ),
            [source.site_id],
        )
    plain.execute("SET CONSTRAINTS ALL IMMEDIATE")
    plain.execute("SET CONSTRAINTS ALL DEFERRED")
    for name in relations_of(source.physical):
        plain.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(target.schema, name)))
