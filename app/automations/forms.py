"""The forms of an automation and of each kind of step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from wtforms import IntegerField, RadioField, SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange

from app.automations.queries import Place
from app.automations.steps import MOST_TEXT, Step, field_values
from app.lib.ids import decode, encode
from app.tenancy.models import Site
from app.web.forms import Form, LongText, Text
from app.webhooks.catalogue import Group
from app.webhooks.models import Webhook

AGENCY = "agency"
PLACES = "{record.name} stands for a value of the event."
KINDS = {
    "mail": "Send a letter", "webhook": "Call a webhook", "function": "Run a function", "record": "Make or change a record",
}  # fmt: skip


class AutomationForm(Form):
    """What create_automation() and change_automation() want; its site can be chosen only once."""

    name = Text("Name", [InputRequired("Enter a name."), Length(max=120)])
    site = SelectField("Events of", default=AGENCY)
    event_type = SelectField("When")
    conditions = LongText("Only if", [Length(max=4000)], render_kw={"spellcheck": "false"},
                          description="One per line, all must hold: status = won, amount >= 10000, name contains bo, "
                                      "stage in new,open, email is not_null.")  # fmt: skip
    retries = IntegerField("Try again", [InputRequired("Enter a number."), NumberRange(0, 5)], default=3,
                           description="How often a run that failed is tried again, 0 to 5: after 10 s, 1 min, 5 min, "
                                       "30 min and 2 h.")  # fmt: skip
    off_after = IntegerField("Off after", [InputRequired("Enter a number."), NumberRange(1, 100)], default=10,
                             description="Failed runs in a row that switch it off.")  # fmt: skip

    def offer(self, sites: list[Site], groups: list[Group]) -> None:
        """Fill the choices of the site and of the event."""
        self.site.choices = [
            SelectChoice(AGENCY, "The agency and all its sites"),
            *(SelectChoice(one.public_id, one.name) for one in sites),
        ]
        types = {one.type: f"{one.type} · {one.label}" for group in groups for one in group.events}
        self.event_type.choices = [SelectChoice(name, words) for name, words in types.items()]

    @property
    def site_id(self) -> UUID | None:
        return None if self.site.data == AGENCY else decode("ste", self.site.data)

    def values(self) -> dict[str, Any]:
        """The keyword arguments that both actions take."""
        names = ("name", "event_type", "conditions", "retries", "off_after")
        return {name: self[name].data for name in names}


def _keep_chosen(field: SelectField, gone: str) -> None:
    """What a saved step names stays chosen although it is gone, so that no other takes its place unseen."""
    if field.data and field.data not in [choice.value for choice in field.choices]:
        field.choices = [SelectChoice(field.data, gone), *field.choices]


class MailStep(Form):
    to = RadioField("To", default="owners",
                    choices=[SelectChoice("owners", "The owners"), SelectChoice("managers", "Owners and administrators"),
                             SelectChoice("event", "An address in the event")])  # fmt: skip
    path = Text("Where the address is", [Length(max=120)], default="record.email",
                description="Used for an address in the event, such as record.email.")  # fmt: skip
    subject = Text("Subject", [InputRequired("Enter a subject."), Length(max=200)], description=PLACES)
    text = LongText("Text", [InputRequired("Enter a text."), Length(max=MOST_TEXT)], description=PLACES)

    @staticmethod
    def filled_from(step: Step) -> dict[str, str]:
        return {name: step[name] for name in ("to", "path", "subject", "text")}

    def step(self) -> Step:
        return {"kind": "mail", **{name: self[name].data for name in ("to", "path", "subject", "text")}}


class WebhookStep(Form):
    webhook = SelectField("Webhook", description="It gets the event whatever its own list of events.")

    def offer(self, webhooks: Iterable[Webhook]) -> None:
        self.webhook.choices = [SelectChoice(one.public_id, one.description or one.url[:80]) for one in webhooks]
        _keep_chosen(self.webhook, "A webhook that was deleted")

    @staticmethod
    def filled_from(step: Step) -> dict[str, str]:
        return {"webhook": encode("whk", UUID(step["webhook"]))}

    def step(self) -> Step:
        return {"kind": "webhook", "webhook": str(decode("whk", self.webhook.data))}


class FunctionStep(Form):
    target = SelectField(
        "Function", description="It gets the event, its data and its record, as if it listened itself."
    )

    def offer(self, places: Iterable[Place]) -> None:
        self.target.choices = [
            SelectChoice(f"{encode('ins', place.id)}/{name}", f"{place.module} on {place.site}: {name}")
            for place in places
            for name in place.manifest.functions
        ]
        _keep_chosen(self.target, "A function that is not there any more")

    @staticmethod
    def filled_from(step: Step) -> dict[str, str]:
        return {"target": f"{encode('ins', UUID(step['install']))}/{step['function']}"}

    def step(self) -> Step:
        install, _, name = self.target.data.partition("/")
        return {"kind": "function", "install": str(decode("ins", install)), "function": name}


class RecordStep(Form):
    target = SelectField("Table")
    act = RadioField("Do", default="create",
                     choices=[SelectChoice("create", "Make a new record"), SelectChoice("change", "Change a record")])  # fmt: skip
    path = Text("Which record", [Length(max=120)], default="record.id",
                description="Used to change one: where its id is in the event.")  # fmt: skip
    values = LongText("Fields", [InputRequired("Set at least one field."), Length(max=8000)],
                      render_kw={"spellcheck": "false"},
                      description="One per line: status = won, price = 1,200, shown = yes, or name = {record.name}.")  # fmt: skip

    def offer(self, places: Iterable[Place]) -> None:
        self.target.choices = [
            SelectChoice(f"{encode('ins', place.id)}/{name}", f"{place.module} on {place.site}: {name}")
            for place in places
            for name in place.manifest.tables
        ]
        _keep_chosen(self.target, "A table that is not there any more")

    @staticmethod
    def filled_from(step: Step) -> dict[str, str]:
        lines = "\n".join(f"{name} = {text}" for name, text in step["values"].items())
        target = f"{encode('ins', UUID(step['install']))}/{step['table']}"
        return {"target": target, "act": step["act"], "path": step["path"], "values": lines}

    def step(self) -> Step:
        """Raises Invalid on values."""
        install, _, table = self.target.data.partition("/")
        return {
            "kind": "record", "install": str(decode("ins", install)), "table": table, "act": self.act.data,
            "path": self.path.data, "values": field_values(self.values.data),
        }  # fmt: skip
