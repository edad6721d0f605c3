"""Whether an event is for an automation: its type, its site, who saved it, its conditions, and never its own doing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from app.automations.models import Automation
from app.errors import Invalid
from app.events.catalog import CATALOG
from app.events.models import Event
from app.modules.conditions import Condition, ConditionInvalid, matches, parse_condition
from app.modules.kinds import Column, Columns, Kind
from app.modules.manifest import Manifest
from app.modules.manifest.computed import all_columns
from app.modules.naming import own_events
from app.webhooks.catalogue import EXAMPLES
from app.webhooks.patterns import may_receive

MAX_DEPTH = 5
"""How far events that automations and functions cause may follow each other; the next one is left alone."""
_LINE = re.compile(r"([a-z][a-z0-9_]*)\s*(!=|>=|<=|=|>|<|\b(?:contains|starts|in|is)\b)\s*(.*)")
_OPERATORS = {"=": "eq", "!=": "ne", ">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}
_KINDS: dict[type, Kind] = {str: Kind.TEXT, bool: Kind.BOOLEAN, int: Kind.INTEGER, list: Kind.LIST}


def hears(automation: Automation, event: Event) -> bool:
    """Whether it listens to such events at all. Another agency's it never does, whatever the rows say."""
    return (
        automation.active
        and automation.agency_id == event.agency_id
        and automation.event_type == event.type
        and automation.site_id in (None, event.site_id)
        and event.depth < MAX_DEPTH
        and event.actor != automation.actor.ref
        and may_receive(automation.granted_role, event.type, of_module=event.install_id is not None)
    )


def fits(automation: Automation, event: Event, manifest: Manifest | None) -> bool:
    """Whether the event's record fulfils the conditions. manifest: of the event's install. Raises ConditionInvalid."""
    if not automation.conditions.strip():
        return True
    manifests = [manifest] if manifest is not None else []
    return matches(condition_of(automation.conditions, automation.event_type, manifests), facts(event))


def facts(event: Event) -> dict[str, Any]:
    """What conditions look at: the record of the event, or its data where it tells of no record."""
    record = event.data.get("record")
    return record if isinstance(record, dict) else event.data


def condition_of(text: str, event_type: str, manifests: Iterable[Manifest]) -> Condition:
    """The condition of `field operator value` lines, all of which must hold.

    manifests: of modules that tell such events; one has to know the fields. Raises ConditionInvalid, or Invalid for a line
    that is none.
    """
    lines = [_line(line.strip()) for line in text.splitlines() if line.strip()]
    data = {"all": [{name: {operator: value}} for name, operator, value in lines]} if lines else {}
    problem: ConditionInvalid | None = None
    for columns in columns_of(event_type, manifests):
        try:
            return parse_condition(data, columns, text_values=True)
        except ConditionInvalid as error:
            problem = error
    raise problem or Invalid(f"Nothing is known of the fields of {event_type}, so it takes no conditions.")


def columns_of(event_type: str, manifests: Iterable[Manifest]) -> list[Columns]:
    """The fields of the records such events tell of, one set for each module (and the platform) that tells them."""
    found: list[Columns] = []
    if event_type in CATALOG:
        known = EXAMPLES[event_type].items()
        found.append({name: Column(_KINDS[type(value)]) for name, value in known if type(value) in _KINDS})
    for manifest in manifests:
        found += [
            {"id": Column(Kind.UUID), **all_columns(manifest, table)}
            for name, table in manifest.tables.items()
            if event_type in own_events(name, table)
        ]
    return found


def _line(line: str) -> tuple[str, str, str]:
    match = _LINE.fullmatch(line)
    if match is None:
        raise Invalid(f'"{line[:80]}" is no condition. Write: status = won, amount >= 10000, name contains bo.')
    name, operator, value = match.groups()
    return name, _OPERATORS.get(operator, operator), value.strip()
