"""Many installs upgraded at once while a worker is killed: `python -m bench.upgrades [installs]`, or ARGS="upgrades 1000".

Real workers on real queues. A worker dies by SIGKILL when a third is done and another when two thirds are, each in the middle of
its work; both are started again two seconds later, as a supervisor does. At the end every install has to be in a stated state that
serves, at one of the two versions, with every record it had.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID

import psycopg
from psycopg import sql

from app.db.base import db
from app.db.scope import tenant_scope
from app.db.session import transaction
from app.installs.actions import install_module
from app.installs.jobs import provision
from app.installs.models import Install
from app.installs.upgrades import upgrade_install
from app.lib.clock import utcnow
from app.lib.ids import uuid7
from app.modules.actions import publish_version, upload_package
from app.modules.models import Module, Version
from app.modules.package import read_folder
from app.tenancy.models import Client, Site
from bench.stage import SECRET, Stage, stage

MANIFEST = """
manifest: 1
slug: guests
name: Guests
summary: Guests and their visits.
version: {version}
type: app
tables:
  guests:
    fields:
      name: {{type: text, required: true, max: 80, search: true}}
      {fields}
  visits:
    fields:
      guest: {{type: ref, to: guests, on_delete: cascade}}
      cost: {{type: decimal, scale: 2}}
"""
OLD = MANIFEST.format(version="1.0.0", fields="phone: {type: phone}\n      stars: {type: rating}")
NEW = MANIFEST.format(version="2.0.0", fields="stars: {type: integer}\n      mood: {type: text, default: good}")
ROWS = 20  # of each install


@dataclass
class Report:
    """states: how many installs are at (status, version, state of the move). wrong: what is not as it has to be."""

    installs: int
    seconds: float = 0
    ordered_s: float = 0
    kills: int = 0
    states: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def run(here: Stage, *, installs: int, workers: int = 2, within_s: float = 1800) -> Report:
    """Make the installs, order all upgrades, kill, wait, judge."""
    old, new = _release(here, OLD), _release(here, NEW)
    ids = _installs(here, old, installs)
    report = Report(installs)
    for number in range(workers):
        here.start_worker(f"worker-{number}")
    here.start_worker("scheduler")
    began = time.monotonic()
    for install_id in ids:
        with tenant_scope(here.agency_id, user_id=here.by.id), transaction(db.session()) as session:
            upgrade_install(
                session, install=session.get_one(Install, install_id), version=session.get_one(Version, new.id),
                lose=True, by=here.by, now=utcnow(),
            )  # fmt: skip
    report.ordered_s = time.monotonic() - began
    victims = [(installs // 3, "worker-0"), (2 * installs // 3, f"worker-{workers - 1}")]
    while (waiting := _waiting(here)) and time.monotonic() - began < within_s:
        if victims and installs - waiting >= victims[0][0]:
            name = victims.pop(0)[1]
            here.kill(name)
            report.kills += 1
            time.sleep(2)
            here.restart(name)
        time.sleep(0.05 if victims else 0.5)
    report.seconds = time.monotonic() - began
    _judge(here, report, old)
    return report


def _release(here: Stage, manifest: str) -> Version:
    with tenant_scope(here.agency_id, user_id=here.by.id), transaction(db.session()) as session:
        package = read_folder([("module.yaml", manifest.encode())])
        version = upload_package(session, package=package, agency_id=here.agency_id, by=here.by, now=utcnow())
        publish_version(session, version=version, package=package, by=here.by, now=utcnow())
        session.flush()
        session.expunge_all()
    return version


def _installs(here: Stage, version: Version, count: int) -> list[UUID]:
    """The first by its job, which makes the tables; the others as rows of the same kind, each with records of its own."""
    with tenant_scope(here.agency_id, user_id=here.by.id), transaction(db.session()) as session:
        client = Client(id=uuid7(), agency_id=here.agency_id, name="Bench")
        session.add(client)
        session.flush()
        sites = [
            Site(id=uuid7(), agency_id=here.agency_id, client_id=client.id, slug=f"site-{n}", name=f"Site {n}")
            for n in range(count)
        ]
        session.add_all(sites)
        session.flush()
        first = install_module(
            session, site=sites[0], version=session.get_one(Version, version.id), settings={}, keys=(SECRET,), by=here.by,
            now=utcnow(),
        )  # fmt: skip
        site_ids, first_id = [site.id for site in sites], first.id
        short_id = session.get_one(Module, version.module_id).short_id
    with tenant_scope(here.agency_id):
        provision(str(first_id))
    ids = [first_id]
    with tenant_scope(here.agency_id), transaction(db.session()) as session:
        for site_id in site_ids[1:]:
            ids.append(uuid7())
            session.add(
                Install(
                    id=ids[-1], agency_id=here.agency_id, site_id=site_id, module_id=version.module_id,
                    version_id=version.id, status="active",
                )
            )  # fmt: skip
    schema = f"mod_{short_id}"
    with psycopg.connect(here.superuser) as bare:
        for site_id in site_ids:
            bare.execute(
                sql.SQL(
                    "INSERT INTO {} (site_id, name, phone, stars)"
                    " SELECT %s, 'Guest ' || n, '+35121000' || n, n %% 5 + 1 FROM generate_series(1, %s) n"
                ).format(sql.Identifier(schema, "guests")),
                [site_id, ROWS],
            )
            bare.execute(
                sql.SQL(
                    "INSERT INTO {} (site_id, guest, cost) SELECT site_id, id, 1.25 FROM {} WHERE site_id = %s"
                ).format(sql.Identifier(schema, "visits"), sql.Identifier(schema, "guests")),
                [site_id],
            )
    return ids


def _waiting(here: Stage) -> int:
    with psycopg.connect(here.superuser, autocommit=True) as bare:
        row = bare.execute(
            "SELECT count(*) FROM modules_v2 WHERE status NOT IN ('active', 'paused', 'removed')"
        ).fetchone()
    return int(row[0]) if row else 0


_STATES = """
SELECT i.status, v.version, coalesce(m.state, 'none'), count(*)
FROM modules_v2 i JOIN module_versions v ON v.id = i.version_id
LEFT JOIN LATERAL (SELECT state FROM install_moves WHERE install_id = i.id ORDER BY id DESC LIMIT 1) m ON true
GROUP BY 1, 2, 3
"""


def _judge(here: Stage, report: Report, old: Version) -> None:
    with psycopg.connect(here.superuser, autocommit=True) as bare:
        for status, version, state, count in bare.execute(_STATES).fetchall():
            report.states[status, version, state] = count
            if (status, version, state) not in (("active", "2.0.0", "watching"), ("active", "1.0.0", "failed")):
                report.wrong.append(f"{count} installs are {status} at {version}, their move {state}")
        row = bare.execute("SELECT short_id FROM module_source WHERE id = %s", [old.module_id]).fetchone()
        schema = f"mod_{row[0]}" if row else ""
        kept = sql.SQL(
            "SELECT count(*) FROM (SELECT site_id FROM {} GROUP BY 1"
            " HAVING count(*) = %s AND count(phone) = %s AND count(stars) = %s AND sum(stars) = %s) t"
        ).format(sql.Identifier(schema, "guests"))
        stars = sum(n % 5 + 1 for n in range(1, ROWS + 1))
        row = bare.execute(kept, [ROWS, ROWS, ROWS, stars]).fetchone()
        if row is None or row[0] != report.installs:
            report.wrong.append(f"only {row[0] if row else 0} of {report.installs} sites have every record they had")
        filled = sql.SQL(
            "SELECT count(*) FROM {} g JOIN modules_v2 i ON i.site_id = g.site_id JOIN module_versions v ON v.id = i.version_id"
            " WHERE v.version = '2.0.0' AND g.mood IS DISTINCT FROM 'good'"
        ).format(sql.Identifier(schema, "guests"))
        row = bare.execute(filled).fetchone()
        if row is None or row[0]:
            report.wrong.append(f"{row[0] if row else 'no'} records lack the default of the new field")


def main(installs: str = "1000") -> None:
    with stage() as here:
        report = run(here, installs=int(installs))
    print(f"{report.installs} installs, {report.kills} workers killed by SIGKILL in the middle")
    print(f"ordered in {report.ordered_s:.1f} s, all done after {report.seconds:.1f} s")
    print(f"{report.seconds * 1000 / report.installs:.0f} ms for each install")
    for (status, version, state), count in sorted(report.states.items()):
        print(f"  {count:5} {status} at {version}, move {state}")
    for line in report.wrong:
        print(f"WRONG: {line}")
    if report.wrong:
        sys.exit(1)
    print("every install is in a stated state and serves; every record is there")


if __name__ == "__main__":
    main(*sys.argv[1:])
