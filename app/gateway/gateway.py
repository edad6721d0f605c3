"""What the gateway of one process shares between its threads: known keys, leases, the request log."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from app.gateway.credentials import Credential, KeyDirectory
from app.gateway.keychanges import KeyChanges
from app.gateway.limits import Leases, Policies
from app.gateway.requestlog import RequestLog
from app.gateway.routes import RunRoute
from app.oauth.access import find_access, is_access_token, knows_origin

Described = Callable[[str], tuple[dict[str, Any], dict[str, Any]]]
"""The JSON Schema and an example of the data of one of the platform's own events."""


def _of_anything(_: str) -> tuple[dict[str, Any], dict[str, Any]]:
    return {"type": "object"}, {}


class Gateway:
    """Made once per API application by the composition root. run_route: runs a module's own routes, None when nothing does.

    describe_event: tells what is in an event of the platform.
    keys: what queries of reads are sealed under in the log; without them they are not kept.
    """

    def __init__(
        self,
        *,
        platform_url: str,
        keys: tuple[str, ...] = (),
        policies: Policies | None = None,
        run_route: RunRoute | None = None,
        describe_event: Described = _of_anything,
    ) -> None:
        self.platform_url = platform_url
        self.run_route = run_route
        self.describe_event = describe_event
        self.policies = policies or Policies()
        self.keys = KeyDirectory(KeyChanges())
        self.leases = Leases()
        self.log = RequestLog(self.leases.tidy, keys=keys, at_stop=partial(self.leases.tidy, everything=True))

    def find(self, token: str) -> Credential:
        """Whose key or access token it is, usable or not. Raises KeyMistyped, KeyUnknown, TokenInvalid."""
        return find_access(token) if is_access_token(token) else self.keys.find(token)

    def knows_origin(self, origin: str) -> bool:
        """Whether pages of this origin may call: some live key or application names it."""
        return self.keys.knows_origin(origin) or knows_origin(origin)
