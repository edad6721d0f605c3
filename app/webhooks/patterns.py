"""Which events an endpoint gets: its patterns, its site, and what the role it was made with may see."""

from __future__ import annotations

import re
from collections.abc import Iterable

from app.access.permissions import ROLE_PERMISSIONS, Role
from app.events.models import Event
from app.events.rights import may_hear
from app.webhooks.models import Webhook

PATTERN = re.compile(r"\*|[a-z][a-z0-9_]*(\.[a-z0-9_]+)*(\.\*)?")


def matches(patterns: Iterable[str], event_type: str) -> bool:
    """`deal.won` is itself, `deal.*` everything under deal, `*` everything."""
    return any(
        pattern in ("*", event_type) or (pattern.endswith(".*") and event_type.startswith(pattern[:-1]))
        for pattern in patterns
    )


def may_receive(role: Role, event_type: str, *, of_module: bool) -> bool:
    """Whether the role may see such events."""
    return may_hear(ROLE_PERMISSIONS[role], event_type, of_module=of_module)


def wants(webhook: Webhook, event: Event) -> bool:
    """Whether this event goes to this endpoint. Another agency's never does, whatever the rows say."""
    return (
        webhook.agency_id == event.agency_id
        and (webhook.site_id is None or webhook.site_id == event.site_id)
        and matches(webhook.patterns, event.type)
        and may_receive(webhook.granted_role, event.type, of_module=event.install_id is not None)
    )
