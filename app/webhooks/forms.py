"""The forms of an endpoint."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from wtforms import (
    BooleanField,
    DateTimeLocalField,
    HiddenField,
    IntegerField,
    PasswordField,
    RadioField,
    SelectField,
    ValidationError,
)  # fmt: skip
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from app.lib.ids import decode
from app.tenancy.models import Site
from app.web.filters import viewer
from app.web.forms import Form, LongText, Text
from app.webhooks.actions import repeated
from app.webhooks.catalogue import Group
from app.webhooks.doubts import doubts

AGENCY = "agency"


class WebhookForm(Form):
    """What create_webhook() and change_webhook() want; its site can be chosen only once."""

    url = Text("Address", [InputRequired("Enter the address to call."), Length(max=2048)],
               description="An https address of yours that takes POST requests.")  # fmt: skip
    description = Text("Description", [Length(max=200)], description="What it is for, for your colleagues.")
    site = SelectField("Events of", default=AGENCY)
    patterns = LongText("Events", [InputRequired("Name at least one event."), Length(max=6000)],
                        render_kw={"spellcheck": "false"},
                        description="One per line: deal.won, deal.* for all of a kind, * for everything.")  # fmt: skip
    headers = LongText("Headers of your own", [Length(max=12000)], render_kw={"spellcheck": "false"},
                       description="One per line, such as X-Environment: live. Names begin with X-.")  # fmt: skip
    concurrency = IntegerField("At once", [InputRequired("Enter a number."), NumberRange(1, 16)], default=4,
                               description="How many calls may be under way together, 1 to 16.")  # fmt: skip

    rate_per_minute = IntegerField("Calls a minute", [Optional(), NumberRange(1, 6000)],
                                   description="At most so many; the others wait. Empty for no limit.")  # fmt: skip
    fields = LongText("Fields", [Length(max=8000)], render_kw={"spellcheck": "false"},
                      description="One per line, such as record.id; the rest of the data is left out. "
                                  "Empty for all of it.")  # fmt: skip

    version = IntegerField(validators=[Optional()])
    meant = BooleanField("They are meant: what they name is yet to come")
    meant_what = HiddenField()

    def validate_headers(self, field: LongText) -> None:
        """Two lines of one name would make one header, and nobody would say which."""
        if again := repeated(name for name, _ in _headers(field.data)):
            raise ValidationError(f"{again} stands there twice; upper and lower case are the same to a receiver.")

    def doubt(self, groups: list[Group], *, patterns: Iterable[str] = (), fields: Iterable[str] = ()) -> bool:
        """Say on the fields what would do nothing, unless it was doubted before and is meant; whether something is said.

        groups: all events that the endpoint could get. patterns, fields: what it has already, which is not asked about again.
        """
        written = {"patterns": self.patterns.data.split(), "fields": self.fields.data.split()}
        known = {"patterns": set(patterns), "fields": set(fields)}
        meant = set(self.meant_what.data.split()) if self.meant.data else set()
        new = [one for one in doubts(groups, **written) if one.value not in known[one.field]]
        found = [one for one in new if one.value not in meant]
        for one in found:
            target = self._fields[one.field]
            target.errors = [*target.errors, one.detail]
        self.meant.data, self.meant_what.data = False, " ".join(one.value for one in new)
        return bool(found)

    def offer(self, sites: list[Site]) -> None:
        """Fill the choices of the site."""
        self.site.choices = [(AGENCY, "The agency and all its sites"), *((one.public_id, one.name) for one in sites)]

    @property
    def site_id(self) -> UUID | None:
        return None if self.site.data == AGENCY else decode("ste", self.site.data)

    def values(self) -> dict[str, Any]:
        """The keyword arguments that both actions take."""
        return {
            "url": self.url.data,
            "description": self.description.data,
            "patterns": self.patterns.data.split(),
            "headers": dict(_headers(self.headers.data)),
            "concurrency": self.concurrency.data,
            "rate_per_minute": self.rate_per_minute.data,
            "fields": self.fields.data.split(),
        }

    def differing(self, theirs: dict[str, Any]) -> list[tuple[str, str, str]]:
        """(label, theirs, mine) of each field in which the values written here are not those of others."""
        fields = [self._fields[name] for name in _CHANGEABLE]
        found = [(field.label.text, _shown(theirs[field.name]), _shown(field.data)) for field in fields]
        return [line for line in found if line[1] != line[2]]


_CHANGEABLE = ("url", "description", "patterns", "headers", "concurrency", "rate_per_minute", "fields")


def _shown(value: Any) -> str:
    return "" if value is None else "\n".join(line.strip() for line in str(value).splitlines() if line.strip())


@dataclass(frozen=True, slots=True)
class SavedFirst:
    """Somebody saved first. who: their name, '' when it is not known. lines: what differs, as WebhookForm.differing()."""

    who: str
    lines: list[tuple[str, str, str]]


def _headers(text: str) -> list[tuple[str, str]]:
    """(name, value) of `Name: value` lines; a line without a colon is a name without a value, which the rules refuse."""
    lines = [line.partition(":") for line in text.splitlines() if line.strip()]
    return [(name.strip(), value.strip()) for name, _, value in lines]


class SecretForm(Form):
    """Who wants to see a secret proves to be who they are."""

    password = PasswordField("Your password", [InputRequired("Enter your password."), Length(max=256)])


_MOMENT = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]


class ReplayForm(Form):
    """What replay() wants; times are in the viewer's zone."""

    since = DateTimeLocalField("From", [InputRequired("Enter when to begin.")], format=_MOMENT)
    until = DateTimeLocalField("To", [Optional()], format=_MOMENT, description="Empty for now.")
    which = RadioField("What", default="failed",
                       choices=[SelectChoice("failed", "What failed or was missed"),
                                SelectChoice("all", "Everything, delivered or not")])  # fmt: skip
    target = SelectField("Send it to")

    def offer(self, webhooks: Iterable[tuple[str, str]], own: str) -> None:
        """webhooks: (id, words) of those that can get it. own: the id of the one it came for, offered first."""
        found = dict(webhooks)
        first = [SelectChoice(own, "This webhook")] if own in found else []
        self.target.choices = [*first, *(SelectChoice(key, words) for key, words in found.items() if key != own)]

    @property
    def target_id(self) -> UUID:
        return decode("whk", self.target.data)

    def span(self) -> tuple[datetime, datetime | None]:
        """From and to, aware."""
        zone = ZoneInfo(viewer().zone)
        until: datetime | None = self.until.data
        return self.since.data.replace(tzinfo=zone), until.replace(tzinfo=zone) if until else None
