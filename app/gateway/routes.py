"""The seam to the module's own routes (`…/fn/{path}`): what the gateway hands over and gets back.

The composition root brings the callable that runs them; without one those routes do not exist.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.access.actors import Actor
from app.runtime.context import InstallContext
from app.runtime.data.access import Access
from app.runtime.data.scoped import Connection


@dataclass(frozen=True, slots=True)
class RouteCall:
    """One call of a module's route. path: with its leading slash. publishable: the caller is a web page's key.

    connection: the open transaction of a call with an Idempotency-Key, for the run to take part in; None otherwise.
    """

    context: InstallContext
    access: Access
    actor: Actor
    method: str
    path: str
    query: list[tuple[str, str]]
    body: bytes
    content_type: str
    publishable: bool
    request_id: str
    connection: Connection | None


@dataclass(frozen=True, slots=True)
class RouteAnswer:
    """What the module's function answered."""

    status: int
    body: bytes
    content_type: str = "application/json"


RunRoute = Callable[[RouteCall], RouteAnswer]
