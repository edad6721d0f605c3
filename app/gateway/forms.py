"""The form of a new API key."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from wtforms import RadioField, SelectField, SelectMultipleField
from wtforms.validators import InputRequired, Length

from app.gateway.models import SCOPES
from app.installs.places import Target, target_choices, target_chosen
from app.web.forms import Form, LongText, Text

LASTING = {"30": "30 days", "90": "90 days", "365": "1 year", "never": "Never, until it is revoked"}
KINDS = [
    ("secret", "Secret – for servers and apps of your own; never in a web page"),
    ("publishable", "Publishable – for web pages; may do what visitors may, on the pages you name"),
]


class KeyForm(Form):
    """`target` is a site (every module of it) or an install; its choices come from the agency's sites."""

    name = Text(
        "Name", [InputRequired("Enter a name."), Length(max=120)], description="What will use it, such as “Till app”."
    )
    target = SelectField("For", [InputRequired("Choose a site or a module.")], validate_choice=True)
    kind = RadioField("Kind", choices=KINDS, default="secret")
    scopes = SelectMultipleField("It may", choices=list(SCOPES.items()), default=["read"])
    origins = LongText("Web pages", [Length(max=4000)], render_kw={"spellcheck": "false"},
                       description="Where the key works, one origin per line, such as https://www.example.com.")  # fmt: skip
    networks = LongText("Networks", [Length(max=2000)], render_kw={"spellcheck": "false"},
                        description="Empty: from anywhere. Otherwise one per line, such as 192.0.2.0/24.")  # fmt: skip
    expires = SelectField("Expires", choices=list(LASTING.items()), default="365")

    def offer(self, targets: list[Target]) -> None:
        """Fill the choices, grouped by site."""
        self.target.choices = target_choices(targets)

    def place(self, targets: list[Target]) -> tuple[UUID, UUID | None]:
        """Site and install of the chosen target."""
        return target_chosen(targets, self.target.data)

    def values(self, now: datetime) -> dict[str, Any]:
        """What create_key() wants of this form."""
        lasts: str = self.expires.data
        return {
            "name": self.name.data,
            "kind": self.kind.data or "",
            "scopes": self.scopes.data or [],
            "origins": self.origins.data.split() if self.kind.data == "publishable" else [],
            "networks": self.networks.data.split(),
            "expires_at": None if lasts == "never" else now + timedelta(days=int(lasts)),
        }
