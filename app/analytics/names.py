"""Values of rankings in words."""

from __future__ import annotations

from babel import Locale, UnknownLocaleError

from app.analytics.sums import OTHER
from app.web.filters import viewer

SURFACES = {"frame": "In other pages", "site": "On the site's own pages", "direct": "By their own address"}
DEVICES = {"phone": "Phone", "tablet": "Tablet", "computer": "Computer"}


def words_of(dimension: str, value: str) -> str:
    """A language or country in the reader's language, a surface or device in plain words, the names beyond those that are kept
    as one; anything else as it is."""
    if dimension == "name":
        return "Other" if value == OTHER else value
    if dimension == "surface":
        return SURFACES.get(value, value)
    if dimension == "device":
        return DEVICES.get(value, value)
    if dimension in ("language", "country"):
        return _of_locale(dimension, value)
    return value


def _of_locale(dimension: str, value: str) -> str:
    try:
        locale = Locale.parse(viewer().locale)
    except (ValueError, UnknownLocaleError):
        return value
    known = locale.languages if dimension == "language" else locale.territories
    return str(known.get(value, value))
