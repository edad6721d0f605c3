"""Texts of every sort: what is accepted, and the form it is kept in."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import nh3
import phonenumbers
from dateutil.rrule import rrulestr
from email_validator import EmailNotValidError, validate_email

from app.modules.manifest.fields import RichtextField, SlugField, TextField
from app.runtime.validation.problems import Facts, Wrong

MAX_TEXT, MAX_URL, MAX_SECRET, MAX_RRULE = 100_000, 2048, 4000, 500
MAX_TAGS = 4000  # cleaning tags inside tags inside tags takes the square of their number
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_RRULE = re.compile(r"[A-Z]+=[A-Z0-9,+:-]+(;[A-Z]+=[A-Z0-9,+:-]+)*")
_PLAIN_ADDRESS = re.compile(
    r"([a-zA-Z0-9_+-]+(?:\.[a-zA-Z0-9_+-]+)*)@((?:[a-zA-Z0-9](?:-?[a-zA-Z0-9]){0,31}\.){1,5}[a-zA-Z]{2,24})", re.ASCII
)
_TAGS = {
    "p", "br", "hr", "h2", "h3", "h4", "strong", "b", "em", "i", "u", "s", "code", "pre", "blockquote", "ul", "ol", "li",
    "a", "table", "thead", "tbody", "tr", "th", "td", "sub", "sup",
}  # fmt: skip
_ATTRIBUTES = {"a": {"href", "title"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}}


def plain(value: Any) -> str:
    """Any text that PostgreSQL can keep."""
    if not isinstance(value, str):
        raise Wrong("must be a text")
    if "\x00" in value:
        raise Wrong("cannot hold the NUL character")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Wrong("is not valid Unicode") from None
    if len(value) > MAX_TEXT:
        raise Wrong(f"must have at most {MAX_TEXT} characters", "max")
    return value


def line(value: Any, most: int) -> str:
    """A trimmed text of at most `most` characters on one line."""
    text = plain(value).strip()
    if any(char in text for char in "\r\n"):
        raise Wrong("must be one line")
    if len(text) > most:
        raise Wrong(f"must have at most {most} characters", "max")
    return text


def text(field: TextField, value: Any, facts: Facts) -> str:
    found = plain(value).strip()
    if field.multiline:
        found = found.replace("\r\n", "\n")
    elif "\n" in found or "\r" in found:
        raise Wrong("must be one line")
    return found


def richtext(field: RichtextField, value: Any, facts: Facts) -> str:
    """HTML without anything that runs, loads or styles."""
    found = plain(value)
    if found.count("<") > MAX_TAGS:
        raise Wrong(f"must have at most {MAX_TAGS} tags", "max")
    return nh3.clean(found, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes={"http", "https", "mailto", "tel"}).strip()


def slug(field: SlugField, value: Any, facts: Facts) -> str:
    found = plain(value).strip()
    if found and not _SLUG.fullmatch(found):
        raise Wrong("must be lower-case letters and digits, with single hyphens between them")
    return found


def slug_from(source: str, most: int) -> str:
    """The slug of a title: `Café Crème!` is cafe-creme. "" when nothing of it can be kept."""
    ascii_only = unicodedata.normalize("NFKD", source).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_only).strip("-")[:most].strip("-")


def email(value: Any) -> str:
    found = line(value, 254)
    if not found:
        return found
    if plain_address := _PLAIN_ADDRESS.fullmatch(found):  # nearly all of them; the library takes 50 times as long
        local, domain = plain_address.groups()
        if len(local) <= 64:
            return f"{local}@{domain.lower()}"
    try:
        address = validate_email(found, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError:
        raise Wrong("must be an e-mail address such as ada@example.com") from None
    if "." not in address.domain:
        raise Wrong("must be an e-mail address such as ada@example.com")
    return address.normalized


def phone(value: Any, facts: Facts) -> str:
    """E.164, read with the site's country when no country is given."""
    found = line(value, 40)
    if not found:
        return found
    wanted = "must be a telephone number" + ("" if facts.region else " that starts with + and the country")
    try:
        number = phonenumbers.parse(found, facts.region)
    except phonenumbers.NumberParseException:
        raise Wrong(wanted) from None
    if not phonenumbers.is_valid_number(number):
        raise Wrong(wanted)
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def url(value: Any) -> str:
    found = line(value, MAX_URL)
    if not found:
        return found
    try:
        parts = urlsplit(found)
        _ = parts.port  # raises for a port that is no number
    except ValueError:
        raise Wrong("must be an address such as https://example.com") from None
    strange = any(char.isspace() or ord(char) < 32 or char in '<>"\\^`{|}' for char in found)
    if parts.scheme not in ("http", "https") or not parts.hostname or strange:
        raise Wrong("must be an address that starts with https:// or http://")
    return found


def color(value: Any) -> str:
    found = plain(value).strip()
    if found and not _COLOR.fullmatch(found):
        raise Wrong("must be a colour such as #1a2b3c")
    return found.lower()


def rrule(value: Any, facts: Facts) -> str:
    found = line(value, MAX_RRULE).removeprefix("RRULE:")
    if not found:
        return found
    try:
        if not _RRULE.fullmatch(found) or "FREQ=" not in found:
            raise ValueError
        start = datetime(2026, 1, 1, tzinfo=UTC)
        if not ("UNTIL=" in found and "Z" in found):
            start = start.replace(tzinfo=None)  # a rule without a zone wants a start without one
        rrulestr(found, dtstart=start)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        raise Wrong("must be a recurrence rule such as FREQ=WEEKLY;BYDAY=MO") from None
    return found


def secret(value: Any) -> str:
    found = plain(value)
    if len(found) > MAX_SECRET:
        raise Wrong(f"must have at most {MAX_SECRET} characters", "max")
    return found
