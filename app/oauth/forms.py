"""The forms of an application and of consent."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from wtforms import BooleanField, RadioField, SelectField, SelectMultipleField
from wtforms.validators import InputRequired, Length

from app.installs.places import Target, target_choices, target_chosen
from app.oauth.models import SCOPES, Application
from app.web.forms import Form, LongText, Text

KINDS = [
    ("confidential", "On a server – it keeps a secret that nobody else sees"),
    ("public", "In a browser, on a phone or a desktop – anybody could read a secret in it, so it has none"),
]


class ApplicationForm(Form):
    name = Text("Name", [InputRequired("Enter a name."), Length(max=80)], description="People see it when they decide.")
    kind = RadioField("It runs", choices=KINDS, default="confidential")
    redirect_uris = LongText(
        "Redirect addresses", [Length(max=6000)], render_kw={"spellcheck": "false"},
        description="Where people come back to, one per line, compared letter by letter. https only, or http for 127.0.0.1 "
        "(any port) and localhost. None, if it only works by itself.",
    )  # fmt: skip
    scopes = SelectMultipleField("It may ask for", choices=list(SCOPES.items()), default=["read"])
    refresh = BooleanField("It may stay connected", default=True, description="For at most 90 days. Without, an hour.")

    alone = BooleanField(
        "It may also work by itself, without a person",
        description="On a server only, and on the sites of your agency that you let it into.",
    )

    def fill(self, application: Application) -> None:
        """Show what the application has."""
        self.name.data, self.scopes.data = application.name, application.scopes
        self.redirect_uris.data = "\n".join(application.redirect_uris)
        self.refresh.data = "refresh_token" in application.grant_types
        self.alone.data = "client_credentials" in application.grant_types

    def values(self) -> dict[str, Any]:
        """What change_application() wants of this form."""
        return {
            "name": self.name.data,
            "redirect_uris": (self.redirect_uris.data or "").split(),
            "scopes": self.scopes.data or [],
            "refresh": bool(self.refresh.data),
            "alone": bool(self.alone.data),
        }


class ConsentForm(Form):
    """target: a site (every module of it) or an install. scopes: those the application asks for, fewer if the person likes.

    Also for letting an application of one's own work by itself.
    """

    target = SelectField("Site", [InputRequired("Choose a site.")], validate_choice=True)
    scopes = SelectMultipleField("It may", [InputRequired("Leave at least one, or refuse.")])

    def offer(self, targets: list[Target], scopes: list[str]) -> None:
        """Fill the choices, grouped by site."""
        self.target.choices = target_choices(targets, one="{site}: {module} only")
        self.scopes.choices = [(scope, SCOPES[scope]) for scope in scopes]
        if not self.is_submitted():
            self.scopes.data = scopes

    @property
    def chosen_scopes(self) -> list[str]:
        """What was left ticked, each once."""
        return list(dict.fromkeys(self.scopes.data or []))

    def place(self, targets: list[Target]) -> tuple[UUID, UUID | None]:
        """Site and install of the chosen target."""
        return target_chosen(targets, self.target.data)
