"""What a page's script sends: a key and a few events. Everything unknown is refused."""

from __future__ import annotations

import json
import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from app.analytics.keys import LASTS_S, MAX_CHARACTERS
from app.errors import FieldError, Invalid
from app.lib.redact import redact_text

MOST_EVENTS = 50
MOST_OF_A_PAGE = 256  # numbers of events, from 0
_NAME = re.compile(r"[a-z][a-z0-9_.:-]{0,79}")
NAMED = ("click", "custom")


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Told(_Model):
    """One event. n: its number within the page, so that it counts once. ago: milliseconds since it happened.

    value: of time the milliseconds looked at, of a custom event whatever its script counts. name: of a click or custom event,
    or what an error says.
    """

    event: Literal["mount", "error", "start", "click", "time", "custom"]
    n: int = Field(ge=0, lt=MOST_OF_A_PAGE)
    name: str = Field(default="", max_length=200)
    value: int = Field(default=0, ge=0, le=86_400_000)
    ago: int = Field(default=0, ge=0, le=LASTS_S * 1000)

    @model_validator(mode="after")
    def _fits(self) -> Told:
        if self.event in NAMED and not _NAME.fullmatch(self.name):
            raise ValueError("a name of small letters, digits and _ . : - is needed, such as plan.chosen")
        if self.event not in (*NAMED, "error") and self.name:
            raise ValueError("this event has no name")
        if self.event not in ("time", "custom") and self.value:
            raise ValueError("this event has no value")
        return self

    @property
    def words(self) -> str:
        """The name as it is kept: errors in one line without what looks like a secret or an address."""
        if self.event != "error":
            return self.name
        return " ".join(redact_text(self.name).replace("\x00", "").split())[:120]


class Batch(_Model):
    key: str = Field(max_length=MAX_CHARACTERS)
    events: list[Told] = Field(min_length=1, max_length=MOST_EVENTS)


def read_batch(body: bytes) -> Batch:
    """The batch in a request's body. Raises Invalid with an error per field."""
    try:
        return Batch.model_validate(json.loads(body), strict=True)
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        raise Invalid("Send a JSON object with key and events.") from None
    except ValidationError as error:
        raise Invalid(
            "These events are not acceptable.",
            errors=[
                FieldError("/" + "/".join(str(part) for part in one["loc"]), "invalid", one["msg"])
                for one in error.errors(include_url=False, include_context=False, include_input=False)[:10]
            ],
        ) from None
