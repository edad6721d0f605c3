"""Calls in somebody's name: the token of a connection is added in the parent and never reaches the guest."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from app.lib.clock import utcnow
from app.lib.crypto import CannotOpen, unseal
from app.runtime.context import InstallContext
from app.runtime.functions import process
from app.runtime.sandbox.pool import HostError

log = logging.getLogger(__name__)

HIDDEN = "[token]"


def states(context: InstallContext) -> dict[str, Any]:
    """What a function may know: {name: {connected, scopes}} of every connection the version declares."""
    return {
        name: {"connected": name in context.connections, "scopes": list(context.connections[name].scopes)}
        if name in context.connections
        else {"connected": False, "scopes": []}
        for name in context.manifest.connections
    }


def token_for(context: InstallContext, name: Any, url: str) -> str:
    """The access token of a connection, for a host that the manifest and the site's consent name. Raises HostError."""
    declared = context.manifest.connections.get(name) if isinstance(name, str) else None
    if declared is None:
        raise HostError("unknown_connection", None, "The manifest declares no such connection.")
    host = (urlsplit(url).hostname or "").lower()
    if host not in declared.hosts or host not in context.granted.get("connections", {}).get(name, ()):
        raise HostError("not_granted", None, f"The connection {name} is not for {host[:100]}.")
    made = context.connections.get(name)
    if made is None:
        raise HostError("not_connected", None, f"{declared.label} is not connected on this site.")
    if made.expires_at is not None and made.expires_at <= utcnow():
        raise HostError("connection_expired", None, f"{declared.label} did not renew its token yet. Try again later.")
    try:
        return unseal(process.keys(), made.access_sealed, sealed_token(made.id, "access"))
    except CannotOpen:
        log.error("the token of connection %s does not open", made.id)
        raise HostError("not_connected", None, f"{declared.label} has to be connected anew.") from None


def without(token: str, answer: dict[str, Any]) -> dict[str, Any]:
    """The same answer, should a service repeat what it was sent."""
    headers = {name: value.replace(token, HIDDEN) for name, value in answer["headers"].items()}
    return {**answer, "headers": headers, "body": answer["body"].replace(token, HIDDEN)}


def sealed_token(connection_id: UUID, part: str) -> str:
    """What seal() and unseal() are told: nothing kept of a connection opens in another row or as another part.

    part: access, refresh, client_secret or verifier.
    """
    return f"module_connections|{connection_id}|{part}"
