"""What forms share: clean text, choices of zones, locales and currencies, addresses that stay on this host."""

from __future__ import annotations

from functools import cache
from typing import Any
from zoneinfo import available_timezones

from babel import Locale
from babel.numbers import get_currency_name
from email_validator import EmailNotValidError, validate_email
from flask import request
from flask_wtf import FlaskForm
from wtforms import EmailField, StringField, TextAreaField, ValidationError

from app.errors import AppError, Invalid

LOCALES = ("en_GB", "en_US", "cs", "da", "de", "es", "fi", "fr", "it", "nb", "nl", "pl", "pt", "sv")
CURRENCIES = ("EUR", "GBP", "USD", "AUD", "CAD", "CHF", "CZK", "DKK", "JPY", "NOK", "NZD", "PLN", "SEK")


def clean(value: str | None) -> str:
    """Trimmed, without NUL (which PostgreSQL cannot keep); '' for a field that was not sent."""
    return (value or "").replace("\x00", "").strip()


class Form(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """A form of ours; errors of the rules underneath land on its fields."""

    def take(self, error: AppError, field: str | None = None) -> None:
        """Show an expected failure on the form: on the fields it names, on `field`, or at the top."""
        named = [(item.pointer.lstrip("/"), item.detail) for item in error.errors] if isinstance(error, Invalid) else []
        for name, detail in named or [(field or "", error.message)]:
            target = self._fields.get(name) or self._fields.get(field or "")
            if target is None:
                self.form_errors.append(detail)
            else:
                target.errors = [*target.errors, detail]


class Text(StringField):  # type: ignore[misc]  # WTForms has no types
    """One line of text, trimmed; control characters are taken out."""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = " ".join(clean(valuelist[0] if valuelist else "").split())
        self.raw_data = [self.data]  # what InputRequired looks at: blanks are no name


class LongText(TextAreaField):  # type: ignore[misc]  # as above
    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = clean(valuelist[0] if valuelist else "").replace("\r\n", "\n")


class Email(EmailField):  # type: ignore[misc]  # as above
    """An e-mail address as it is kept: trimmed, lower case."""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = clean(valuelist[0] if valuelist else "").lower()
        self.raw_data = [self.data]


def valid_email(form: FlaskForm, field: Any) -> None:
    """A WTForms validator: an address that could exist; nothing is asked of the network."""
    if field.data:
        try:
            # test_environment: names reserved for tests are as good as any that nobody has registered
            validate_email(field.data, check_deliverability=False, test_environment=True)
        except EmailNotValidError as error:
            raise ValidationError(f"This is not an e-mail address: {str(error).rstrip('.').lower()}.") from error


@cache
def time_zones() -> list[tuple[str, str]]:
    """(name, label) of every zone people live in, UTC first."""
    places = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "SystemV/")))
    return [("UTC", "UTC"), *((zone, zone.replace("_", " ")) for zone in places)]


@cache
def locales() -> list[tuple[str, str]]:
    """(CLDR name, its own name for itself)."""
    names = [(name, str(Locale.parse(name).display_name)) for name in LOCALES]
    return [(name, label[:1].upper() + label[1:]) for name, label in names]


@cache
def currencies() -> list[tuple[str, str]]:
    """(ISO 4217 code, code and English name)."""
    return [(code, f"{code} – {get_currency_name(code, locale='en')}") for code in CURRENCIES]


def wrong_fields(error: Invalid) -> dict[str, list[str]]:
    """{field: what is wrong with it}, for the control() of forms without a class of their own."""
    found: dict[str, list[str]] = {}
    for item in error.errors:
        found.setdefault(item.pointer.lstrip("/"), []).append(item.detail)
    return found


def local_path(text: str | None, default: str = "/") -> str:
    """The path to go on to when it stays on this host, else the default: never another host, whatever a link says."""
    path = text or ""
    # browsers drop tabs and line ends and read a backslash as a slash, so "/\t/evil" would be another host
    if not path.startswith("/") or path.startswith("//") or "\\" in path or not path.isprintable():
        return default
    return path


def page_number(name: str = "page") -> int:
    """The page asked for in the address, from 1; 1 for anything else."""
    text = request.args.get(name, "")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) <= 6 else 1


def asked(name: str, allowed: tuple[str, ...], default: str) -> str:
    """A query parameter that is one of a few words; the default for anything else."""
    value = request.args.get(name, default)
    return value if value in allowed else default
