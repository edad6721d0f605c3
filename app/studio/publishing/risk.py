"""What a release risks for the agencies that would get it, as points with their reasons. From facts alone; pure.

What only its own agency sees never waits. Anything else with HELD_FROM points or more is looked at by the platform's staff.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.modules.manifest import Manifest, Problem
from app.modules.package import Package
from app.studio.publishing.work import count

HELD_FROM = 40
YOUNG = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Publisher:
    """The record of an agency. released: versions that others could get; since: when the agency was made."""

    since: datetime
    released: int
    withdrawn: int
    refused: int


@dataclass(frozen=True, slots=True)
class Risk:
    """reasons: (points, sentence), the gravest first."""

    reasons: tuple[tuple[int, str], ...]

    @property
    def score(self) -> int:
        return sum(points for points, _ in self.reasons)

    @property
    def held(self) -> bool:
        return self.score >= HELD_FROM


def weigh(
    package: Package, before: Package | None, publisher: Publisher, findings: Sequence[Problem], now: datetime
) -> Risk:
    """before: the last release that others could get, None when there is none."""
    found = [*_asked(package.manifest, before.manifest if before else None), *_code(package, before)]
    found += [*_record(publisher, now), *_findings(findings)]
    return Risk(tuple(sorted(found, key=lambda one: -one[0])))


def _asked(new: Manifest, old: Manifest | None) -> Iterator[tuple[int, str]]:
    """What it asks for beyond what was looked at before."""
    had, wants = old.permissions if old else None, new.permissions
    scopes = sorted(set(wants.scopes) - set(had.scopes if had else ()))
    if scopes:
        yield min(15 * len(scopes), 30), f"asks for {', '.join(scopes)}"
    known = {item.host for item in had.network} if had else set()
    if hosts := sorted({item.host for item in wants.network} - known):
        yield min(10 * len(hosts), 30), f"talks to {', '.join(hosts)}"
    if connections := sorted(set(new.connections) - set(old.connections if old else ())):
        yield min(15 * len(connections), 30), f"acts for people at other services: {', '.join(connections)}"
    foreign = {(item.module, item.table, right) for item in had.tables for right in item.access} if had else set()
    more = {(item.module, item.table, right) for item in wants.tables for right in item.access} - foreign
    if more:
        words = ", ".join(f"{right} of {table} of {module}" for module, table, right in sorted(more))
        yield (15 if any(right != "read" for *_, right in more) else 10), f"reaches records of other modules: {words}"
    if wants.personal_data and not (had and had.personal_data):
        yield 15, "keeps personal data"
    if wants.email and not (had and had.email):
        yield 10, "sends e-mail"


def _code(package: Package, before: Package | None) -> Iterator[tuple[int, str]]:
    old = before.files if before else {}
    changed = {
        path: content
        for path, content in package.files.items()
        if path.startswith(("functions/", "assets/")) and path.endswith((".js", ".mjs")) and old.get(path) != content
    }
    size = sum(map(len, changed.values()))
    if size > 5_000:
        points = 15 if size > 100_000 else 10 if size > 20_000 else 5
        yield points, f"brings {round(size / 1000)} kB of code that is new or changed, in {len(changed)} files"
    routes = {name for name, one in package.manifest.functions.items() if one.route and one.route.auth == "public"}
    known = {name for name, one in before.manifest.functions.items() if one.route} if before else set()
    if fresh := sorted(routes - known):
        yield min(5 * len(fresh), 15), f"lets anybody call {', '.join(fresh)}"


def _record(publisher: Publisher, now: datetime) -> Iterator[tuple[int, str]]:
    if publisher.released == 0:
        yield 20, "is the first release of its publisher for others"
    if now - publisher.since < YOUNG:
        yield 15, f"its publisher has been here for {max((now - publisher.since).days, 0)} days"
    if publisher.refused:
        yield min(15 * publisher.refused, 30), f"{publisher.refused} releases of its publisher were refused by staff"
    if publisher.withdrawn:
        yield (
            min(10 * publisher.withdrawn, 20),
            f"{count(publisher.withdrawn, 'release')} of its publisher {'was' if publisher.withdrawn == 1 else 'were'} withdrawn",
        )


def _findings(findings: Sequence[Problem]) -> Iterator[tuple[int, str]]:
    if findings:
        yield min(2 * len(findings), 10), f"its checks gave {len(findings)} warnings"
