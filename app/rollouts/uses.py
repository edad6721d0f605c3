"""When what an upgrade takes away was used last, as far as the logs of 30 days tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from app.installs.models import Install
from app.lib.clock import rfc3339
from app.lib.sql import load_sql
from app.modules.changes import ManifestDiff
from app.modules.manifest import Manifest
from app.modules.models import Module
from app.support.timeline import KEPT


@dataclass(frozen=True, slots=True)
class Use:
    """at: the last one. Without it known says whether there was none in 30 days, or nobody kept account of it."""

    at: datetime | None = None
    known: bool = False
    times: int | None = None

    def to_dict(self) -> dict[str, Any]:
        return {"at": rfc3339(self.at) if self.at else None, "known": self.known, "times_in_30_days": self.times}


UNKNOWN = Use()


def last_uses(
    db: Session, *, install: Install, module: Module, old: Manifest, diff: ManifestDiff, now: datetime
) -> Mapping[str, Use]:
    """{path of a change: use} of permissions (without `permissions.`), routes and functions that go. One statement.

    Code uses rights on foreign tables, hosts and scopes without account of each; where no function has run at all, none
    of them was used.
    """
    routes = {
        change.path: f"/api/modules/{module.slug}/fn{function.route.path}"
        for change in diff.of_kind("route_removed", "route_narrowed")
        if (function := old.functions.get(change.path.split(".")[1])) is not None and function.route is not None
    }
    statement = text(load_sql("rollouts/uses")).bindparams(bindparam("paths", type_=ARRAY(Text)))
    given = {
        "agency": install.agency_id, "site": install.site_id, "install": install.id, "since": now - KEPT,
        "paths": sorted(set(routes.values())),
    }  # fmt: skip
    rows = {(row.kind, row.name): Use(row.last_at, True, row.times) for row in db.execute(statement, given)}
    found = {path: rows.get(("path", where), Use(known=True, times=0)) for path, where in routes.items()}
    ran = any(kind == "run" for kind, _ in rows)
    for change in diff.changes:
        if not change.path.startswith("permissions."):
            continue
        key = change.path.removeprefix("permissions.")
        if key == "email":
            found[key] = rows.get(("mail", ""), Use(known=True, times=0))
        elif key.startswith("connections."):
            found[key] = rows.get(("connection", key.split(".")[1]), UNKNOWN)
        else:
            found[key] = UNKNOWN if ran or key == "personal_data" else Use(known=True, times=0)
    for name in {change.path.split(".")[1] for change in diff.changes if change.path.startswith("jobs.")}:
        job = old.jobs.get(name)
        if job is not None:
            found[f"jobs.{name}"] = rows.get(("run", job.call), Use(known=True, times=0))
    return found
