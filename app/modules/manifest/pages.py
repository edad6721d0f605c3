"""Screens for visitors, and the functions, jobs, roles and routes behind them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Discriminator, Field, StringConstraints

from app.modules.manifest.base import Condition, Help, Label, Name, Part, Whole, tag
from app.modules.manifest.head import Method
from app.modules.manifest.tables import Right
from app.modules.manifest.views import Columns, Sort

PageName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=60)]
"""The last part of a page's address."""
EventName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$", max_length=80)]
"""What happened, in the past tense: deal.won."""
FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=100)]
"""A file of templates/ or functions/, without the folder."""


class PageData(Part):
    """Records a template sees as data.<name>."""

    table: Name
    where: Condition | None = None
    fields: Columns | None = None
    """The fields it sees; all that are not private when absent."""
    sort: Sort | None = None
    limit: Annotated[Whole, Field(ge=1, le=200)] = 50


class Param(Part):
    """A value the embedding page may set."""

    type: Literal["text", "integer", "number", "boolean", "color", "date", "enum"]
    label: Label | None = None
    default: Any = None
    options: Annotated[tuple[str, ...], Field(min_length=1, max_length=100)] | None = None
    """The values of an enum."""


class After(Part):
    """What follows a form that was sent and saved."""

    emit: EventName | None = None
    """An event of this module."""
    call: Name | None = None
    """A function of this module, given the new record."""


class Page(Part):
    """A template served to visitors, embedded, mailed or printed."""

    template: FileName
    kind: Literal["page", "form", "widget", "document", "email"] = "page"
    title: Label | None = None
    table: Name | None = None
    """The table a form makes a record of."""
    fields: Columns | None = None
    """The fields a visitor may fill in."""
    data: Annotated[dict[Name, PageData], Field(max_length=20)] = Field(default_factory=dict)
    modes: tuple[Literal["iframe", "element", "popup"], ...] = ()
    """How other sites may embed it; () is not at all."""
    params: Annotated[dict[Name, Param], Field(max_length=30)] = Field(default_factory=dict)
    after: After | None = None


class Limits(Part):
    """The most one call may use."""

    ms: Annotated[Whole, Field(ge=10, le=5000)] = 250
    memory_mb: Annotated[Whole, Field(ge=8, le=128)] = 64
    calls: Annotated[Whole, Field(ge=0, le=200)] = 50
    """Calls of the host, such as ctx.db and ctx.http."""


class Route(Part):
    """An address of the API, below …/fn, that calls the function."""

    method: Method = "POST"
    path: Annotated[str, StringConstraints(pattern=r"^(/[a-z0-9][a-z0-9_-]*)+$", max_length=100)]
    auth: Literal["public", "staff", "api"] = "api"
    """Anybody, signed-in staff, or a key or token of the site."""
    rate: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,5}/(s|min|hour|day)$")] = "60/min"
    """Calls per caller, such as 30/min."""

    @property
    def limit(self) -> tuple[int, int]:
        """The rate as (calls, seconds)."""
        calls, _, per = self.rate.partition("/")
        return int(calls), {"s": 1, "min": 60, "hour": 3600, "day": 86400}[per]


class TableHook(Part):
    """Before a record changes, in the same transaction; the function may refuse."""

    table: Name
    event: Literal["before_create", "before_update", "before_delete"]


class EventHook(Part):
    """After an event, once the transaction has committed; retried."""

    event: EventName


def _hook_shape(value: Any) -> str | None:
    is_table = "table" in value if isinstance(value, dict) else isinstance(value, TableHook)
    return "\x01table" if is_table else "\x01event"


Hook: TypeAlias = Annotated[
    Annotated[TableHook, tag("table")] | Annotated[EventHook, tag("event")], Discriminator(_hook_shape)
]


class Function(Part):
    """Server code of the module, run in the sandbox."""

    file: FileName
    limits: Limits = Limits()
    route: Route | None = None
    on: Hook | None = None


class Job(Part):
    """A function called by the clock."""

    call: Name
    cron: Annotated[str, StringConstraints(min_length=9, max_length=100)]
    """Minute, hour, day of month, month, day of week."""
    tz: str = "site"
    """`site` for the site's time zone, or a zone such as Europe/Lisbon."""


class Role(Part):
    """What a member may do with this module's records."""

    label: Label
    help: Help | None = None
    tables: Annotated[dict[Name, tuple[Right, ...]], Field(min_length=1)]
    rows: dict[Name, Literal["all", "own"]] = Field(default_factory=dict)
    """`own` limits a table to records the member made or is the user of."""
