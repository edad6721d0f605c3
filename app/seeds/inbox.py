"""What an inbox of the demo world is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Said:
    """One enquiry. days: ago, at this hour UTC. change: what staff made of it since.
    more: fields that only the version of this inbox has.

    A day among the answers is written as "+12" or "-3": days from today.
    """

    days: int
    hour: int
    name: str
    email: str
    message: str
    form: str = "contact"
    phone: str = ""
    answers: Values = field(default_factory=dict)
    change: Values = field(default_factory=dict)
    more: Values = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Inbox:
    """A site with the enquiries module. forms: (values, questions of the form). version: the latest when empty."""

    site: str
    settings: Values
    forms: tuple[tuple[Values, tuple[Values, ...]], ...]
    said: tuple[Said, ...]
    paused: bool = False
    version: str = ""


def given(person: str, status: str, **more: Any) -> Values:
    """A change by staff: to whom an enquiry was given, and where it stands."""
    return {"assignee": person, "status": status, **more}
