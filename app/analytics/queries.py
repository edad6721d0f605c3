"""What dashboards ask. A dashboard is one statement, whatever it covers; busy hours and who is here now are one each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import psycopg
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.analytics.windows import Window
from app.errors import Unavailable
from app.lib.sql import load_sql

NOW_MINUTES = 5
# what may be filtered by: columns of the raw events, so nothing else may ever stand here
FILTERS = ("page", "version", "surface", "place", "referrer", "language", "country", "device", "browser", "system")
# how a page was reached is known of its views alone: these filter by visitor
_OF_VIEWS = ("surface", "place", "referrer")

_AT = {"hour": "to_char({bucket} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI')", "day": "to_char({day}, 'YYYY-MM-DD')"}
_BUSY = text(
    """
    SELECT extract(isodow FROM bucket AT TIME ZONE :zone)::int AS weekday,
           extract(hour FROM bucket AT TIME ZONE :zone)::int AS hour, sum(count)::bigint
    FROM module_analytics_aggregates
    WHERE agency_id = :agency AND grain = 'hour' AND event = 'view' AND dimension = '' AND day BETWEEN :since AND :until
      AND CASE WHEN CAST(:install AS uuid) IS NOT NULL THEN level = 'install' AND subject_id = :install
               WHEN CAST(:module AS uuid) IS NOT NULL THEN level = 'install' AND module_id = :module ELSE level = 'site' END
      AND (CAST(:site AS uuid) IS NULL OR site_id = :site)
    GROUP BY 1, 2
    """
)
_NOW = text(
    """
    SELECT count(DISTINCT visitor) FROM module_analytics_events
    WHERE agency_id = :agency AND at > :since AND (CAST(:site AS uuid) IS NULL OR site_id = :site)
      AND (CAST(:install AS uuid) IS NULL OR install_id = :install) AND (CAST(:module AS uuid) IS NULL OR module_id = :module)
    """
)

_NOW_OF_PUBLISHER = text("SELECT publisher_here_now(CAST(:module AS uuid), :since)")

# Raw events are counted by visitor: in less memory than this a million of them are written to disk in between.
_ROOM = text("SET LOCAL work_mem = '64MB'")
# Of which events a dashboard shows which values: worked out for these alone, each costs a row per event.
_SHOWN = "(r.event = 'view' OR d.dimension IN ('name', 'version') OR (d.dimension = 'page' AND r.event IN ('submit', 'time')))"
_SHOWN_OF_PARTS = (
    "CASE d.dimension WHEN 'page' THEN r.event IN ('view', 'submit', 'time')"
    " ELSE r.event IN ('installed', 'upgraded', 'rolled_back', 'removed') END"
)
# Only views know how a page was reached, so these filters let through visitors: all that one did on a day when a view of theirs
# fits, or a form begun on the second page would count and the page it was on would not. Looked up once, as a list that is joined:
# asked row by row it takes the square of the time.
_SEEN = """seen_{name} AS MATERIALIZED (
  SELECT DISTINCT site_id, visitor FROM module_analytics_events
  WHERE agency_id = CAST(:agency AS uuid) AND at >= :begins AND event = 'view' AND {name} = :f_{name} AND visitor IS NOT NULL
), """
_JOIN_SEEN = "LEFT JOIN seen_{name} ON seen_{name}.site_id = e.site_id AND seen_{name}.visitor = e.visitor"
_BY_VIEW = "CASE WHEN e.visitor IS NULL THEN e.event = 'view' AND e.{name} = :f_{name} ELSE seen_{name}.visitor IS NOT NULL END"


class TooMuchAtOnce(Unavailable):
    """That is more than can be counted while you wait. Choose fewer days, a site, or a filter less."""

    code = "too_much_at_once"


@dataclass(frozen=True, slots=True)
class Whose:
    """What a dashboard is about. site_id with install_id: one module on it; module_id: a module wherever the agency has it, or
    of a publisher over all agencies."""

    kind: Literal["agency", "site", "install", "publisher"]
    agency_id: UUID
    zone: str
    site_id: UUID | None = None
    install_id: UUID | None = None
    module_id: UUID | None = None

    def values(self) -> dict[str, object]:
        return {
            "agency": self.agency_id, "site": self.site_id, "install": self.install_id, "module": self.module_id,
        }  # fmt: skip


def dashboard(db: Session, whose: Whose, window: Window, *, filters: Mapping[str, str]) -> dict[str, Any]:
    """{series, tops, pages, parts, sites, marks} of a stretch of time and the one before. One statement.

    filters: {one of FILTERS: value}; with any the raw events are asked, which are kept for 90 days. A publisher has none.
    Raises TooMuchAtOnce.
    """
    values = whose.values() | window.values() | {"zone": whose.zone}
    if whose.kind == "publisher":
        source = _publisher_source(window)
    elif filters:
        source = _raw_source(whose, window, filters)
        values |= {f"f_{name}": value for name, value in filters.items()}
        db.execute(_ROOM)
    else:
        source = _summed_source(whose, window)
    try:
        found = db.scalar(text(f"{source}\n{load_sql('analytics/dashboard')}"), values)
    except OperationalError as error:
        if isinstance(error.orig, psycopg.errors.QueryCanceled):
            raise TooMuchAtOnce() from None
        raise
    return dict(found or {})


def busy_hours(db: Session, whose: Whose, window: Window) -> list[list[int]]:
    """Views by weekday (Monday first) and hour of the zone."""
    values = whose.values() | {"zone": whose.zone, "since": window.first, "until": window.last}
    grid = [[0] * 24 for _ in range(7)]
    for weekday, hour, count in db.execute(_BUSY, values):
        grid[weekday - 1][hour] = int(count)
    return grid


def here_now(db: Session, whose: Whose, *, now: datetime) -> int:
    """Different visitors of the last five minutes. One statement."""
    query = _NOW_OF_PUBLISHER if whose.kind == "publisher" else _NOW
    return db.scalar(query, whose.values() | {"since": now - timedelta(minutes=NOW_MINUTES)}) or 0


def _at(grain: str, *, bucket: str, day: str) -> str:
    return _AT[grain].format(bucket=bucket, day=day)


def _summed_source(whose: Whose, window: Window) -> str:
    """Rows of the sums. Without a site the index over the agency finds them."""
    whole = {"agency": "level = 'site'", "site": "level = 'site'", "install": "true"}[whose.kind]
    where = ["agency_id = CAST(:agency AS uuid)", "grain = :grain", "day BETWEEN :first AND :last"]
    if whose.site_id is not None:
        where.append("site_id = CAST(:site AS uuid)")
    if whose.install_id is not None:
        where += ["level = 'install'", "subject_id = CAST(:install AS uuid)"]
    elif whose.module_id is not None:
        whole = "true"
        where += ["level = 'install'", "module_id = CAST(:module AS uuid)"]
    return f"""
WITH a AS NOT MATERIALIZED (
  SELECT {whole} AS whole, level, site_id, module_id, {_at(window.grain, bucket="bucket", day="day")} AS at, event, dimension,
         value, count, visitors, repeats, total
  FROM module_analytics_aggregates WHERE {" AND ".join(where)}
)"""  # noqa: S608  # made of the fixed texts above alone


def _publisher_source(window: Window) -> str:
    """Sums over all agencies, from the function that leaves out whose they are."""
    return f"""
WITH a AS MATERIALIZED (
  SELECT true AS whole, 'install' AS level, CAST(NULL AS uuid) AS site_id, CAST(:module AS uuid) AS module_id,
         {_at(window.grain, bucket="bucket", day="day")} AS at, event, dimension, value, count, visitors, repeats, total
  FROM publisher_analytics(CAST(:module AS uuid), :first, :last, :grain)
)"""  # noqa: S608  # made of fixed texts alone


def _raw_source(whose: Whose, window: Window, filters: Mapping[str, str]) -> str:
    """The same rows worked out from raw events that the filters let through."""
    where = ["e.agency_id = CAST(:agency AS uuid)", "e.at >= :begins"]
    if whose.site_id is not None:
        where.append("e.site_id = CAST(:site AS uuid)")
    if whose.install_id is not None:
        where.append("e.install_id = CAST(:install AS uuid)")
    elif whose.module_id is not None:
        where.append("e.module_id = CAST(:module AS uuid)")
    seen, joins = "", ""
    for name in filters:
        if name not in FILTERS:
            raise ValueError(f"no filter {name!r}")
        if name in _OF_VIEWS:
            seen += _SEEN.format(name=name)
            joins += _JOIN_SEEN.format(name=name) + "\n  "
            where.append(_BY_VIEW.format(name=name))
        else:
            where.append(f"e.{name} = :f_{name}")
    step = {"hour": "date_trunc('hour', e.at, s.time_zone)", "day": "(e.at AT TIME ZONE s.time_zone)::date"}[
        window.grain
    ]
    at = _at(window.grain, bucket="step", day="step")
    narrow = whose.install_id is not None or whose.module_id is not None
    # pages are told apart by module: of the whole only where it is one
    values = ", ".join(f"('{name}', r.{name})" for name in FILTERS if narrow or name != "page")
    parts = "" if narrow else f" UNION ALL {_by_visitor('part', 'pages')}"
    return f"""
WITH {seen}raw AS MATERIALIZED (
  SELECT {at} >= :current AS current, r.* FROM (
    SELECT {step} AS step, e.* FROM module_analytics_events e JOIN sites s ON s.agency_id = e.agency_id AND s.id = e.site_id
    {joins}WHERE {" AND ".join(where)}) r
), whole AS (
  SELECT r.step, r.site_id, {"r.module_id" if narrow else "CAST(NULL AS uuid) AS module_id"}, r.event, r.visitor, r.value AS amount,
         d.dimension, d.what
  FROM raw r CROSS JOIN LATERAL (VALUES ('', ''), ('name', r.name), {values}) AS d (dimension, what)
  WHERE d.dimension = '' OR (d.what <> '' AND r.current AND {_SHOWN})
), part AS (
  SELECT r.step, r.site_id, r.module_id, r.event, r.visitor, r.value AS amount, d.dimension, d.what
  FROM raw r CROSS JOIN LATERAL (VALUES ('', ''), ('page', r.page), ('version', r.version)) AS d (dimension, what)
  WHERE d.dimension = '' OR (d.what <> '' AND r.current AND {_SHOWN_OF_PARTS})
), by_visitor AS (
  {_by_visitor("whole", "install" if narrow else "site")}{parts}
), a AS MATERIALIZED (
  SELECT {"true" if narrow else "level = 'site'"} AS whole, level, site_id, module_id, {at} AS at, event, dimension, what AS value,
         sum(n)::bigint AS count, count(visitor) AS visitors, count(*) FILTER (WHERE n > 1 AND visitor IS NOT NULL) AS repeats,
         sum(amount)::bigint AS total
  FROM by_visitor GROUP BY level, site_id, module_id, step, event, dimension, what
)"""  # noqa: S608  # made of fixed texts and names of columns that were looked up above


def _by_visitor(source: str, level: str) -> str:
    """What each visitor did, of `whole` or `part`. level: of what belongs to no module: of the site, or of its own pages."""
    named = f"CASE WHEN module_id IS NULL THEN '{level}' ELSE 'install' END" if source == "part" else f"'{level}'"
    return (
        f"SELECT {named} AS level, step, site_id, module_id, event, dimension, what, visitor, count(*) AS n, sum(amount) AS amount"  # noqa: S608
        f" FROM {source} GROUP BY step, site_id, module_id, event, dimension, what, visitor"
    )
