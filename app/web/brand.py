"""Whose platform a page says it is: Dramac's, or under an agency's own host the agency's."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Brand:
    """name: in titles and beside the logo. own: an agency's, with its hue (1 to 10) and the address of its logo or ""."""

    name: str
    own: bool = False
    hue: int = 1
    logo: str = ""


PLATFORM = Brand("Dramac")


def platform_brand() -> Brand:
    """The brand of a surface that knows no other hosts."""
    return PLATFORM
