"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Method = Literal["", "dns", "meta", "local"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one check of a proof found. method: how it was proven, "" when it was not.

    certain: whether a missing proof is known to be missing; a name server that is silent proves nothing.
    found: for the screen, as proof.py writes it.
    """

    method: Method
    certain: bool
    found: dict[str, Any]
