"""Dates, times and amounts as people read them, without opening a file: every time zone is read before the fork.

Small on purpose. Names of months and the marks of numbers for the languages below; any other falls back to English.
"""

from __future__ import annotations

import re
import zoneinfo
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any

_FILES: dict[str, bytes] = {}

# language: (thousands mark, decimal mark, money pattern, date order, months)
NBSP, THIN = "\u00a0", "\u202f"
LANGUAGES: dict[str, tuple[str, str, str, str, str]] = {
    "en": (
        ",",
        ".",
        "{s}{n}",
        "{d} {m} {y}",
        "January February March April May June July August September October November December",
    ),
    "de": (
        ".",
        ",",
        "{n}\u00a0{s}",
        "{d}. {m} {y}",
        "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    ),
    "fr": (
        THIN,
        ",",
        "{n}\u00a0{s}",
        "{d} {m} {y}",
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    ),
    "es": (
        ".",
        ",",
        "{n}\u00a0{s}",
        "{d} de {m} de {y}",
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    ),
    "it": (
        ".",
        ",",
        "{n}\u00a0{s}",
        "{d} {m} {y}",
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    ),
    "pt": (
        ".",
        ",",
        "{n}\u00a0{s}",
        "{d} de {m} de {y}",
        "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    ),
    "nl": (
        ".",
        ",",
        "{s}\u00a0{n}",
        "{d} {m} {y}",
        "januari februari maart april mei juni juli augustus september oktober november december",
    ),
    "sv": (
        NBSP,
        ",",
        "{n}\u00a0{s}",
        "{d} {m} {y}",
        "januari februari mars april maj juni juli augusti september oktober november december",
    ),
    "da": (
        ".",
        ",",
        "{n}\u00a0{s}",
        "{d}. {m} {y}",
        "januar februar marts april maj juni juli august september oktober november december",
    ),
    "pl": (
        NBSP,
        ",",
        "{n}\u00a0{s}",
        "{d} {m} {y}",
        "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
    ),
}
SYMBOLS = {
    "EUR": "€",
    "USD": "$",
    "GBP": "£",
    "JPY": "¥",
    "CNY": "CN¥",
    "INR": "₹",
    "CHF": "CHF",
    "PLN": "zł",
    "SEK": "kr",
    "DKK": "kr.",
    "NOK": "kr",
    "CZK": "Kč",
    "BRL": "R$",
    "CAD": "CA$",
    "AUD": "A$",
    "NZD": "NZ$",
}
NO_MINOR = {
    "BIF",
    "CLP",
    "DJF",
    "GNF",
    "ISK",
    "JPY",
    "KMF",
    "KRW",
    "PYG",
    "RWF",
    "UGX",
    "UYI",
    "VND",
    "VUV",
    "XAF",
    "XOF",
    "XPF",
}
THREE_MINOR = {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"}


def preload() -> None:
    """Read every zone of the system's or the tzdata package's database into memory (about 600 files, 0.5 MB)."""
    for name in zoneinfo.available_timezones():
        data = _zone_file(name)
        if data:
            _FILES[name] = data
    zone("Europe/Berlin")


def _zone_file(name: str) -> bytes | None:
    for root in zoneinfo.TZPATH:
        path = Path(root, name)
        if path.is_file():
            return path.read_bytes()
    try:
        return files("tzdata.zoneinfo").joinpath(*name.split("/")).read_bytes()
    except (ModuleNotFoundError, FileNotFoundError):
        return None


@lru_cache(maxsize=64)
def zone(name: str) -> tzinfo:
    """Raises ValueError for an unknown name."""
    if name == "UTC":
        return UTC
    data = _FILES.get(name)
    if data is None:
        raise ValueError(f"Unknown time zone: {name[:60]}")
    return zoneinfo.ZoneInfo.from_file(BytesIO(data), key=name)


def moment(value: Any, zone_name: str) -> datetime:
    """A date, an ISO 8601 text or milliseconds since 1970, in the zone. A text without offset is in the zone already."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError("A time is an ISO 8601 text such as 2026-03-01T09:30:00Z.")
    if isinstance(value, str):
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError(f"This is not a time: {value[:60]}. Write it as 2026-03-01T09:30:00Z.") from None
        if at.tzinfo is None:
            return at.replace(tzinfo=zone(zone_name))
    else:
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=value)
    return at.astimezone(zone(zone_name))


def iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse(text: str, zone_name: str) -> str:
    """The instant of an ISO 8601 text, in UTC."""
    return iso(moment(text, zone_name))


def in_zone(ms: float, zone_name: str) -> dict[str, Any]:
    """The wall clock of an instant in a zone. weekday: Monday is 1. offset: minutes east of UTC."""
    at = moment(ms, zone_name)
    offset = at.utcoffset() or timedelta()
    parts = {name: getattr(at, name) for name in ("year", "month", "day", "hour", "minute", "second")}
    return parts | {"weekday": at.isoweekday(), "offset": int(offset.total_seconds() // 60), "iso": at.isoformat()}


def format_ms(ms: float, pattern: str, zone_name: str, locale: str) -> str:
    return format_moment(moment(ms, zone_name), pattern, locale)


NAMED = {
    "date": "long",
    "short": "YYYY-MM-DD",
    "time": "HH:mm",
    "datetime": "long HH:mm",
    "iso": "YYYY-MM-DDTHH:mm:ssZ",
}
TOKENS = re.compile(r"long|YYYY|MMMM|MMM|MM|DD|HH|mm|ss|D|M|Z")


def format_moment(at: datetime, pattern: str, locale: str) -> str:
    """Write a time by a named pattern (date, short, time, datetime, iso) or by tokens: YYYY MMMM MMM MM M DD D HH mm ss Z."""
    pattern = NAMED.get(pattern, pattern)[:100]
    _, _, _, order, names = language(locale)
    month = names.split(" ")[at.month - 1]
    parts = {
        "long": order.format(d=at.day, m=month, y=at.year),
        "YYYY": f"{at.year:04}",
        "MMMM": month,
        "MMM": month[:3],
        "MM": f"{at.month:02}",
        "M": str(at.month),
        "DD": f"{at.day:02}",
        "D": str(at.day),
        "HH": f"{at.hour:02}",
        "mm": f"{at.minute:02}",
        "ss": f"{at.second:02}",
        "Z": at.isoformat(timespec="seconds")[19:],
    }
    return TOKENS.sub(lambda found: parts[found[0]], pattern)


def language(locale: str) -> tuple[str, str, str, str, str]:
    return LANGUAGES.get(re.split(r"[-_]", str(locale))[0].lower(), LANGUAGES["en"])


def format_number(value: Any, decimals: int | None, locale: str) -> str:
    """A number with the language's marks. decimals: 0 to 6, or None for as many as it has (at most 6)."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value or abs(value) > 1e18:
        raise ValueError("This is not a number that can be written.")
    digits = min(max(int(decimals), 0), 6) if decimals is not None else None
    text = f"{value:,.{6 if digits is None else digits}f}"
    if digits is None:
        text = text.rstrip("0").rstrip(".")
    thousands, decimal, *_ = language(locale)
    return text.translate({ord(","): thousands, ord("."): decimal})


def minor_digits(currency: str) -> int:
    return 0 if currency in NO_MINOR else 3 if currency in THREE_MINOR else 2


def format_money(amount: Any, currency: str, locale: str) -> str:
    """Minor units as an amount: 125000, "EUR", "de" gives 1.250,00 €."""
    if isinstance(amount, bool) or not isinstance(amount, int) or abs(amount) > 10**15:
        raise ValueError("An amount is a whole number of minor units, such as 1250 for 12.50.")
    if not re.fullmatch(r"[A-Z]{3}", currency):
        raise ValueError("A currency is three letters, such as EUR.")
    digits = minor_digits(currency)
    whole, rest = divmod(abs(amount), 10**digits)
    thousands, decimal, pattern, *_ = language(locale)
    number = f"{whole:,}".replace(",", thousands) + (f"{decimal}{rest:0{digits}}" if digits else "")
    symbol = SYMBOLS.get(currency, currency)
    if pattern == "{s}{n}" and symbol.isalpha():
        symbol += NBSP  # CHF 5.00, but €5.00
    return ("-" if amount < 0 else "") + pattern.format(s=symbol, n=number)


def format_money_options(amount: int, options: dict[str, Any]) -> str:
    return format_money(amount, str(options.get("currency") or "EUR"), str(options.get("locale") or "en"))


def format_date(value: Any, pattern: str, zone_name: str, locale: str) -> str:
    """As format_moment; a plain date (2026-03-01) keeps its day in every zone."""
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return format_moment(datetime.combine(date.fromisoformat(value), datetime.min.time()), pattern, locale)
    return format_moment(moment(value, zone_name), pattern, locale)
