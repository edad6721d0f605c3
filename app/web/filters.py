"""Template filters: times in the viewer's zone, money, sizes, numbers, initials, hues."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from json import dumps, loads
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import (
    format_compact_decimal,
    format_currency,
    format_decimal,
    format_percent,
    get_currency_precision,
)
from flask import Flask, g, has_app_context
from markupsafe import Markup

from app.lib.clock import utcnow

HUES = 10
_LETTER_BY_DIGIT = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")


@dataclass(frozen=True)
class Viewer:
    """Who reads the page: time zone (IANA name) and locale (CLDR name)."""

    zone: str = "UTC"
    locale: str = "en_GB"


def viewer() -> Viewer:
    """The reader's zone and locale, from g.zone and g.locale, which the guard sets after sign-in."""
    if not has_app_context():
        return Viewer()
    return Viewer(zone=g.get("zone") or Viewer.zone, locale=g.get("locale") or Viewer.locale)


def _zone() -> ZoneInfo:
    return ZoneInfo(viewer().zone)


def exact_time(value: datetime) -> str:
    """'22 Nov 2026, 14:05 CET' in the viewer's zone."""
    return format_datetime(value, "d MMM y, HH:mm z", tzinfo=_zone(), locale=viewer().locale)


def short_time(value: datetime) -> str:
    """'22 Nov, 14:05' in the viewer's zone; with the year when it is not this year."""
    same_year = value.astimezone(_zone()).year == utcnow().astimezone(_zone()).year
    return format_datetime(
        value, "d MMM, HH:mm" if same_year else "d MMM y, HH:mm", tzinfo=_zone(), locale=viewer().locale
    )


def day(value: date | datetime) -> str:
    """'22 Nov 2026', of a datetime in the viewer's zone."""
    local = value.astimezone(_zone()).date() if isinstance(value, datetime) else value
    return format_date(local, "d MMM y", locale=viewer().locale)


def input_time(value: datetime) -> str:
    """'2026-11-22T14:05' in the viewer's zone, as a datetime-local input wants it."""
    return value.astimezone(_zone()).strftime("%Y-%m-%dT%H:%M")


def ago(value: datetime, now: datetime | None = None) -> str:
    """'3 hours ago', 'in 2 days'; 'just now' within 45 s. now: for tests, else the clock."""
    gap = value - (now or utcnow())
    if abs(gap.total_seconds()) < 45:
        return "just now"
    return format_timedelta(gap, add_direction=True, threshold=0.95, locale=viewer().locale)


def time_tag(value: datetime | None, style: str = "ago") -> Markup:
    """<time> with the relative, short or exact form, the exact one on hover. An en dash when there is no time.

    style: ago, short, exact or day. The browser refreshes the relative ones.
    """
    if value is None:
        return Markup('<span class="muted">–</span>')
    shown: Callable[[datetime], str] = {"ago": ago, "short": short_time, "exact": exact_time, "day": day}[style]
    relative = Markup(" data-ago") if style == "ago" else Markup("")
    return Markup('<time datetime="{}" title="{}"{}>{}</time>').format(
        value.astimezone(UTC).isoformat(timespec="seconds"), exact_time(value), relative, shown(value)
    )


def money(minor_units: int, currency: str) -> str:
    """'£1,299.00' from 129900 and 'GBP'; the currency decides how many of the digits are decimals."""
    amount = Decimal(minor_units).scaleb(-get_currency_precision(currency))
    text = format_currency(amount, currency, locale=viewer().locale)
    return _LETTER_BY_DIGIT.sub("\u00a0", text)  # CLDR's currency spacing, which Babel leaves out


def number(value: int | float | Decimal) -> str:
    """'1,284' or '3.5' with the locale's separators."""
    return format_decimal(value, locale=viewer().locale)


def compact(value: int | float) -> str:
    """'12.7K': for tiles and counters, where three digits say enough."""
    return format_compact_decimal(value, locale=viewer().locale, fraction_digits=1)


def percent(value: float) -> str:
    """'4.2%' from 0.042."""
    return format_percent(value, "#,##0.#%", locale=viewer().locale)


def file_size(size_bytes: int) -> str:
    """'412 kB' in powers of 1000."""
    size = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 999.5 or unit == "GB":
            shown = f"{size:.1f}" if unit != "B" and size < 9.95 else f"{size:.0f}"
            return f"{shown} {unit}"
        size /= 1000
    raise AssertionError("unreachable: GB ends the loop")


def plural(count: int, one: str, many: str | None = None) -> str:
    """'1 site', '1,204 sites'; `many` defaults to `one` + s."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def initials(name: str) -> str:
    """'MO' of 'Maya Okafor'; at most two letters, '?' for an empty name."""
    words = [word for word in name.replace("@", " ").split() if word[0].isalnum()]
    letters = words[:1] + words[-1:] if len(words) > 1 else words
    return "".join(word[0] for word in letters).upper() or "?"


def hue_of(text: str) -> int:
    """1 to 10, always the same for one text: the colour of its tile or avatar (data-hue)."""
    return sha256(text.encode()).digest()[0] % HUES + 1


def css_color(value: str) -> str:
    """A colour that may be written into a style sheet: '#rrggbb'. Raises ValueError for anything else."""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", value):
        raise ValueError(f"not a colour of the form #rrggbb: {value!r}")
    return value


def on_color(value: str) -> str:
    """White or near-black, whichever is easier to read on the colour (WCAG relative luminance)."""
    channels = [int(css_color(value)[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    # contrast with white is 1.05 / (L + 0.05), with #111318 (L + 0.05) / 0.0565: equal at L = 0.194
    return "#ffffff" if luminance < 0.194 else "#111318"


def web_host(url: str) -> str:
    """'www.example.com/shop' of a web address: what people read of it."""
    return url.partition("://")[2].rstrip("/") or url


def locale_name(locale: str) -> str:
    """'British English' style name of a CLDR locale, in the viewer's language; the name itself when it is unknown."""
    try:
        return str(Locale.parse(locale).get_display_name(viewer().locale) or locale)
    except (ValueError, UnknownLocaleError):
        return locale


def first_upper(text: str) -> str:
    """A sentence with its first letter large; what follows stays, names among it."""
    return text[:1].upper() + text[1:]


def as_json(value: object, indent: int | None = None) -> str:
    """A value as JSON that is read by people: as text, where tojson would write & as \\u0026 for scripts."""
    return dumps(value, ensure_ascii=False, indent=indent, default=str)


def register_filters(app: Flask) -> None:
    """All of the above as Jinja filters; `from_json` reads what trigger_toast flashed."""
    app.jinja_env.filters.update(
        ago=ago,
        as_json=as_json,
        bytes=file_size,
        compact=compact,
        css_color=css_color,
        day=day,
        exact_time=exact_time,
        first_upper=first_upper,
        from_json=loads,
        hue_of=hue_of,
        initials=initials,
        input_time=input_time,
        locale_name=locale_name,
        money=money,
        number=number,
        on_color=on_color,
        percent=percent,
        plural=plural,
        short_time=short_time,
        time_tag=time_tag,
        web_host=web_host,
    )
