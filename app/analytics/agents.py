"""What a User-Agent says: a program or a person's browser, and of which kind.

The list of programs is crawler-user-agents, which is kept up by many; a few words catch those that no list has yet.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import NamedTuple

from app.web.devices import device

_PROGRAM = re.compile(r"bot\b|crawl|spider|slurp|preview|fetch|curl|wget|python|monitor|lighthouse|headless|scan", re.I)
_TABLET = re.compile(r"iPad|Tablet|Silk(?!.*Mobile)|Android(?!.*Mobile)|PlayBook|Kindle", re.I)
_PHONE = re.compile(r"Mobi|iPhone|iPod|Android|Windows Phone", re.I)


class Agent(NamedTuple):
    """device: phone, tablet or computer. A program has none of the three."""

    device: str
    browser: str
    system: str


@lru_cache(maxsize=20_000)
def read_agent(user_agent: str) -> Agent | None:
    """What a person looks with; None for a program. The first time of each text takes about 2 ms."""
    if not user_agent.startswith(("Mozilla/", "Opera/")) or _PROGRAM.search(user_agent) or _listed(user_agent):
        return None
    browser, _, system = device(user_agent).partition(" on ")
    kind = "tablet" if _TABLET.search(user_agent) else "phone" if _PHONE.search(user_agent) else "computer"
    return Agent(kind, browser, system)


def _listed(user_agent: str) -> bool:
    return any(pattern.search(user_agent) for pattern in _patterns())


@cache
def _patterns() -> list[re.Pattern[str]]:
    # read when first needed: the list comes with thousands of examples, which nobody waits for at a start
    from crawleruseragents import CRAWLER_USER_AGENTS_DATA  # type: ignore[import-untyped]  # no types there

    patterns = [str(entry["pattern"]) for entry in CRAWLER_USER_AGENTS_DATA]
    return [re.compile("|".join(patterns[start : start + 50])) for start in range(0, len(patterns), 50)]


def language_of(accepted: str) -> str:
    """The first language of an Accept-Language, such as pt; "" when there is none."""
    tag = re.match(r"\s*([a-zA-Z]{2,3})(?:[-;,\s]|$)", accepted)
    return tag[1].lower() if tag else ""
