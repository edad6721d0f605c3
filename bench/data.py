"""The data layer against bare psycopg on the same rows, in one run: only the ratios mean anything.

    .venv/bin/python -m bench.data [rounds]

100,000 contacts of 50 sites in a server started for this. Bare: a prepared statement that has PostgreSQL build the JSON, on
a connection of the tables' owner, with no row security, role, validation or event.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from app.access.actors import Actor
from app.config import Config
from app.db.migrate import migrate
from app.db.pools import close_pools, owner_connection
from app.dev import postgres, valkey
from app.dev.folders import data_folder
from app.factory import wire
from app.lib.ids import uuid7
from app.modules.conditions import parse_condition
from app.modules.manifest import load_manifest
from app.modules.storage.apply import provision
from app.runtime.context import InstallContext, load_install
from app.runtime.data import Access, Data, Surface, configure_data
from app.runtime.query import Query, Sort

SECRET = "a secret key for measuring that is long enough"
SITES, ROWS = 50, 100_000
MANIFEST = """
manifest: 1
slug: bench-contacts
name: Contacts
summary: Contacts to measure with.
version: 1.0.0
type: app
tables:
  contacts:
    label: {one: Contact, many: Contacts}
    fields:
      name: {type: text, required: true, max: 120}
      email: {type: email}
      company: {type: text}
      status: {type: enum, options: [new, active, gone], default: new}
    indexes: [[status, created_at]]
"""


@dataclass(frozen=True)
class Ground:
    """What is measured on: one install out of many, ids of its records, a bare connection."""

    context: InstallContext
    ids: list[UUID]
    bare: psycopg.Connection
    table: str
    environment: dict[str, str]  # for servers that are to work on the same ground


def main(rounds: int = 5) -> None:
    with ground() as here:
        print(f"{'':28}{'bare µs':>10}{'Dramac µs':>11}{'ratio':>8}")
        for name, ours, bare in comparisons(here):
            pairs = [(per_call(bare), per_call(ours)) for _ in range(rounds)]
            least, most = (statistics.median(values) for values in zip(*pairs, strict=True))
            print(f"{name:28}{least * 1e6:10.0f}{most * 1e6:11.0f}{least / most:8.2f}")


def comparisons(here: Ground) -> Iterator[tuple[str, Callable[[], object], Callable[[], object]]]:
    """(what, with the data layer, bare)."""
    actor = Actor(kind="key", id=uuid7(), agency_id=here.context.agency_id)
    site, table, bare = here.context.site_id, here.table, here.bare
    document = "id, name, email, company, status, created_at, updated_at, created_by, version"
    ids, bare_ids, numbers = cycle(here.ids), cycle(here.ids), cycle(range(10**9))

    def data() -> Data:
        return Data(here.context, Access(Surface.API, actor))

    def send(text: str, *values: object) -> object:
        return psycopg.RawCursor(bare).execute(text.encode(), values, prepare=True).fetchall()

    one = (
        f"SELECT (SELECT row_to_json(d) FROM (SELECT {document}) d)::text, version "
        f"FROM {table} WHERE site_id = $1 AND id = $2"
    )
    yield "read one", lambda: data().get("contacts", next(ids)), lambda: send(one, site, next(bare_ids))

    some = (
        f"SELECT (SELECT row_to_json(d) FROM (SELECT {document}) d)::text FROM {table} "  # as above
        "WHERE site_id = $1 AND status = $2 ORDER BY created_at DESC, id DESC LIMIT $3"
    )
    where = parse_condition({"status": "active"}, data().searchable("contacts").columns)
    query = Query(where=where, sort=(Sort("created_at", True),), limit=25)
    yield (
        "list 25, filtered, sorted",
        lambda: data().list("contacts", query).body,
        lambda: send(some, site, "active", 26),
    )

    add = (
        f"WITH new AS (INSERT INTO {table} (site_id, name, email, company, status) VALUES ($1, $2, $3, $4, $5) RETURNING *), "
        "told AS (INSERT INTO events (agency_id, site_id, install_id, type, subject, data) "
        "SELECT $6, $1, $7, 'contact.created', id::text, jsonb_build_object('record', row_to_json(new.*)) FROM new) "
        "SELECT id, row_to_json(new.*)::text FROM new"
    )
    agency, install = here.context.agency_id, here.context.install_id

    def ours() -> object:
        number = next(numbers)
        values = {"name": f"Person {number}", "email": f"p{number}@example.com", "company": "Acme", "status": "new"}
        return data().insert("contacts", values)

    yield (
        "insert with event",
        ours,
        lambda: send(add, site, "Person", f"p{next(numbers)}@example.com", "Acme", "new", agency, install),
    )


def per_call(call: Callable[[], object], *, seconds: float = 0.6) -> float:
    """Seconds per call, the median of the calls within a time."""
    taken = []
    end = time.perf_counter() + seconds
    while (start := time.perf_counter()) < end:
        call()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


@contextmanager
def ground() -> Iterator[Ground]:
    """Servers of its own, with an agency, its sites, the module on each of them and the rows."""
    with empty() as (bare, environment):
        yield _ground(bare, environment)


# a server has memory for what it is asked often; the one of tests, of which there are many, has not
MEMORY = {"shared_buffers": "512MB"}


@contextmanager
def empty() -> Iterator[tuple[psycopg.Connection, dict[str, str]]]:
    """Servers of its own with nothing in them: a superuser's connection, and the environment for servers of ours."""
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(prefix="dramac-bench-", dir=memory) as name:
        folder = data_folder(Path(name))
        store = valkey.start(folder, for_tests=True)
        database = postgres.start(folder, for_tests=True, other=MEMORY)
        try:
            migrate(database.url, SECRET)
            environment = {
                "DATABASE_URL": database.url,
                "REDIS_URL": store.url,
                "SECRET_KEY": SECRET,
                "DATA_DIR": str(folder),
                "PLATFORM_URL": "http://localhost:8000",
                "RUNTIME_URL": "http://127.0.0.1:8001",
            }
            wire(Config.from_env(environment))
            configure_data(secret_keys=(SECRET,))
            with psycopg.connect(_place(database.superuser_url, database.url), autocommit=True) as bare:
                yield bare, {**environment, "BARE_URL": _place(database.superuser_url, database.url)}
        finally:
            close_pools()
            for server in (database, store):
                server.stop()


def _place(url: str, of: str) -> str:
    """The address with the database of another one."""
    return urlunsplit(urlsplit(url)._replace(path=urlsplit(of).path))


def _ground(bare: psycopg.Connection, environment: dict[str, str]) -> Ground:
    manifest = load_manifest(MANIFEST)
    agency, client, module, version = uuid7(), uuid7(), uuid7(), uuid7()
    short_id, digest = module.hex[-8:], module.hex * 2
    bare.execute("INSERT INTO agencies (id, slug, name) VALUES (%s, 'bench', 'Bench')", [agency])
    bare.execute("INSERT INTO clients (id, agency_id, name) VALUES (%s, %s, 'Client')", [client, agency])
    bare.execute(
        "INSERT INTO module_source (id, agency_id, slug, short_id, name, type) VALUES (%s, %s, 'bench-contacts', %s, 'C', 'app')",
        [module, agency, short_id],
    )
    bare.execute(
        "INSERT INTO module_versions "
        "(id, module_id, agency_id, version, major, minor, patch, status, manifest, digest, size_bytes) "
        "VALUES (%s, %s, %s, '1.0.0', 1, 0, 0, 'published', %s, %s, 1)",
        [version, module, agency, Jsonb(manifest.to_dict()), digest],
    )
    with owner_connection() as owner:
        provision(owner, module_id=module, short_id=short_id, needed=lambda: [manifest])
    installs = [_site(bare, agency, client, module, version, number) for number in range(SITES)]
    context = load_install(installs[0])
    table = f"{context.schema}.contacts"
    bare.execute(
        f"INSERT INTO {table} (site_id, name, email, company, status, created_at) "  # a table of this run
        "SELECT s.id, 'Person ' || n, 'p' || n || '@example.com', 'Acme', (ARRAY['new','active','gone'])[n % 3 + 1], "
        "now() - n * interval '1 minute' FROM sites s, generate_series(1, %s) n".replace(
            "%s", str(ROWS // SITES)
        ).encode()
    )
    bare.execute(f"VACUUM ANALYZE {table}".encode())
    ids = [
        row[0] for row in bare.execute(f"SELECT id FROM {table} WHERE site_id = %s".encode(), [context.site_id])
    ]  # as above
    return Ground(context, ids, bare, table, environment)


def _site(bare: psycopg.Connection, agency: UUID, client: UUID, module: UUID, version: UUID, number: int) -> UUID:
    site, install = uuid7(), uuid7()
    bare.execute(
        "INSERT INTO sites (id, agency_id, client_id, slug, name) VALUES (%s, %s, %s, %s, 'Site')",
        [site, agency, client, f"site-{number}"],
    )
    bare.execute(
        "INSERT INTO modules_v2 (id, agency_id, site_id, module_id, version_id, status) VALUES (%s, %s, %s, %s, %s, 'active')",
        [install, agency, site, module, version],
    )
    return install


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
