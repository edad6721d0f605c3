"""One wrong value, and a pointer to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


class Wrong(ValueError):
    """The value is not acceptable; the message says what is."""

    def __init__(self, detail: str, code: str = "value") -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True, slots=True)
class Facts:
    """What values are read against. now: aware; locale: such as pt-PT; time_zone: IANA name."""

    now: datetime
    locale: str
    time_zone: str

    @property
    def region(self) -> str | None:
        """The ISO 3166 code of the locale, for telephone numbers without a country."""
        tail = self.locale.replace("_", "-").rpartition("-")[2]
        return tail if len(tail) == 2 and tail.isupper() else None


def pointer(*parts: str | int) -> str:
    """An RFC 6901 pointer."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)
