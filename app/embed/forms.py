"""What the Embed page is asked: the options of an embed, from the query string, and the form of a new token."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from wtforms import SelectField, SelectMultipleField
from wtforms.validators import InputRequired, Length

from app.embed.snippets import Choice, modes_of
from app.modules.manifest.pages import Page
from app.runtime.pages.params import read_color, read_theme
from app.web.forms import Form, Text, clean

LASTING = {"7": "7 days", "30": "30 days", "90": "90 days", "365": "1 year"}
CORNERS = {
    "bottom-right": "Bottom right",
    "bottom-left": "Bottom left",
    "top-right": "Top right",
    "top-left": "Top left",
}
PARAM = "p."


class TokenForm(Form):
    """A new embed token; `origins` are the site's verified ones."""

    name = Text(
        "Name",
        [InputRequired("Enter a name."), Length(max=120)],
        description="Who will use it, such as “Members' area”.",
    )
    origins = SelectMultipleField(
        "Works on", validate_choice=False, description="None chosen: on every verified domain."
    )
    expires = SelectField("Expires", choices=list(LASTING.items()), default="90")

    def offer(self, verified: list[str]) -> None:
        self.origins.choices = [(origin, origin) for origin in verified]

    def values(self, now: datetime) -> dict[str, Any]:
        """What create_token() wants of this form."""
        return {
            "name": self.name.data,
            "origins": self.origins.data or [],
            "expires_at": now + timedelta(days=int(self.expires.data)),
        }


def read_choice(
    given: Mapping[str, str],
    pages: Mapping[str, Page],
    *,
    runtime_url: str,
    install: str,
    closed: set[str],
    locales: list[str],
) -> Choice:
    """The options of an embed; what is not among the page's own falls back to the first. pages: not empty."""
    name = given.get("page", "")
    name = name if name in pages else next(iter(pages))
    modes = modes_of(pages[name].modes, closed=name in closed)
    params = {key: clean(given.get(f"{PARAM}{key}"))[:200] for key in pages[name].params}
    return Choice(
        runtime_url=runtime_url,
        install=install,
        page=name,
        mode=given.get("mode", "") if given.get("mode") in modes else modes[0],
        theme=read_theme(given.get("theme")),
        lang=given.get("lang", "") if given.get("lang") in locales else "",
        accent=read_color(given.get("accent")) or "",
        label=clean(given.get("label"))[:60] or "Open",
        position=given.get("position", "") if given.get("position") in CORNERS else "bottom-right",
        params={key: value for key, value in params.items() if value},
        closed=name in closed,
    )
