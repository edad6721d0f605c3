"""Agencies, clients, sites, invitations: what browsers send."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from wtforms import PasswordField, RadioField, SelectField, ValidationError
from wtforms.validators import DataRequired, InputRequired, Length, Optional, Regexp

from app.access.permissions import Role
from app.accounts.forms import NEW_PASSWORD_HELP
from app.accounts.passwords import MAX_BYTES
from app.tenancy.slugs import PATTERN
from app.web.filters import HUES
from app.web.forms import Email, Form, LongText, Text, currencies, locales, time_zones, valid_email


def _roles() -> list[tuple[str, str]]:
    return [(role.value, f"{role.label} – {role.summary.lower()}") for role in reversed(Role)]


def _web_address(form: Form, field: Any) -> None:
    """A WTForms validator: an http(s) address with a host, without a user name."""
    try:
        parts = urlsplit(field.data)
    except ValueError:  # brackets that hold no address
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname or "." not in parts.hostname or "@" in parts.netloc:
        raise ValidationError("Enter a full web address, such as https://www.example.com.")


class ClientForm(Form):
    name = Text("Name", [DataRequired("Enter a name."), Length(max=120)])
    contact_name = Text("Contact person", [Length(max=120)])
    contact_email = Email("Contact e-mail", [Length(max=254), valid_email])
    notes = LongText("Notes", [Length(max=4000)], description="For your team only.")


class _SiteFields(Form):
    name = Text("Name", [DataRequired("Enter a name."), Length(max=120)])
    client = SelectField("Client", [InputRequired("Choose a client.")])
    url = Text("Web address", [Optional(), Length(max=400), _web_address], render_kw={"inputmode": "url"},
               description="Where the site lives, such as https://www.example.com.")  # fmt: skip
    time_zone = SelectField("Time zone", choices=time_zones, description="Of bookings and timed jobs.")
    locale = SelectField("Language", choices=locales)
    currency = SelectField("Currency", choices=currencies)


class NewSiteForm(_SiteFields):
    slug = Text(
        "Short name",
        [Optional(), Regexp(rf"^{PATTERN}$", message="3 to 40 of a–z, 0–9 and hyphens, beginning with a letter.")],
        description="Part of the site's addresses at Dramac, for good. Empty: made from the name.",
        render_kw={"autocapitalize": "none", "spellcheck": "false"},
    )


class SiteForm(_SiteFields):
    """The short name is not among them: addresses that others have linked hang on it."""


class AgencyForm(Form):
    name = Text("Name", [DataRequired("Enter a name."), Length(max=120)])
    hue = RadioField("Colour", choices=[(number, str(number)) for number in range(1, HUES + 1)], coerce=int)
    time_zone = SelectField("Time zone", choices=time_zones, description="What new sites begin with.")
    currency = SelectField("Currency", choices=currencies, description="What new sites begin with.")


class InviteForm(Form):
    email = Email("E-mail", [DataRequired("Enter an e-mail address."), Length(max=254), valid_email],
                  render_kw={"autocomplete": "off"})  # fmt: skip
    role = SelectField("Role", choices=_roles, default=Role.MEMBER.value)


class RoleForm(Form):
    role = SelectField("Role", choices=[(role.value, role.label) for role in Role])


class JoinForm(Form):
    """Of somebody invited who has no account yet."""

    name = Text("Your name", [DataRequired("Enter your name."), Length(max=120)], render_kw={"autocomplete": "name"})
    password = PasswordField("Choose a password", [InputRequired("Choose a password.")], description=NEW_PASSWORD_HELP,
                             render_kw={"autocomplete": "new-password", "maxlength": MAX_BYTES})  # fmt: skip
