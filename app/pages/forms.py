"""Browser input to typed values: the editor's one form, and the forms around it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from werkzeug.datastructures import FileStorage, ImmutableMultiDict
from wtforms import BooleanField, DateTimeLocalField, SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Regexp

from app.pages.content import KINDS, MOST_BLOCKS, MOST_PARAMS, Content, read_content
from app.pages.models import SitePage
from app.web.forms import Form, LongText, Text, clean

FONTS = (("modern", "Modern (Geist)"), ("system", "The reader's own"), ("classic", "Classic (serif)"),
         ("friendly", "Friendly (rounded)"))  # fmt: skip
THEMES = (("auto", "As the reader's device"), ("light", "Always light"), ("dark", "Always dark"))
Posted = ImmutableMultiDict[str, str]
MOST_LINE, MOST_ADDRESS, MOST_WORDS = 200, 1000, 20_000
HEAD = {"title": 120, "lead": 400, "seo_title": 120, "description": 320, "image": MOST_ADDRESS, "image_alt": MOST_LINE}
LINES = {"heading": {"text": MOST_LINE}, "text": {}, "image": {"source": MOST_ADDRESS, "alt": MOST_LINE, "caption": MOST_LINE},
         "button": {"label": 60, "link": MOST_ADDRESS}, "columns": {}, "spacer": {"size": 1},
         "module": {"install": 40, "page": 60, "title": MOST_LINE}}  # fmt: skip
FLAGS = {"image": ("wide",), "button": ("quiet",), "columns": ("cards",), "spacer": ("line",)}


def content_of(posted: Posted) -> Content:
    """The page as the editor's form has it: its blocks in the order of the inputs named "block". Raises Invalid."""
    values: dict[str, Any] = {name: _line(posted, name, most) for name, most in HEAD.items()}
    values["noindex"] = bool(posted.get("noindex"))
    ids = posted.getlist("block")[: MOST_BLOCKS + 1]
    values["blocks"] = [_block(posted, block_id) for block_id in ids]
    return read_content(values)


def input_of(content: Content, pointer: str) -> str:
    """The name of the editor's input that a fault is about, such as b-<block>-alt of /blocks/2/alt."""
    parts = pointer.strip("/").split("/", 2)
    if parts[0] != "blocks" or len(parts) < 3 or not parts[1].isdigit() or int(parts[1]) >= len(content.blocks):
        return parts[0]
    return f"b-{content.blocks[int(parts[1])].id}-{parts[2]}"


def files_of(files: ImmutableMultiDict[str, FileStorage]) -> dict[str, FileStorage]:
    """{name of the input the picture is for: file} of the pictures that were chosen."""
    return {
        name.removesuffix("-file"): file for name, file in files.items() if name.endswith("-file") and file.filename
    }


def _block(posted: Posted, block_id: str) -> dict[str, Any]:
    start = f"b-{block_id}-"
    kind = _line(posted, f"{start}kind", 20)
    values: dict[str, Any] = {"id": block_id, "kind": kind}
    if kind not in KINDS:
        return values  # the validator says so
    values |= {name: _line(posted, start + name, most) for name, most in LINES[kind].items()}
    values |= {name: bool(_line(posted, start + name, 1)) for name in FLAGS.get(kind, ())}
    if kind == "heading":
        values["level"] = 3 if _line(posted, f"{start}level", 1) == "3" else 2
    if kind == "text":
        values["text"] = words(posted.get(f"{start}text"))
    if kind == "columns":
        values["cells"] = [
            _cell(posted, f"{start}{number}-") for number in range(4) if f"{start}{number}-text" in posted
        ]
    if kind == "module":
        values |= {"height": _height(posted.get(f"{start}height", "")), "params": _params(posted, f"{start}p-")}
    return values


def _line(posted: Posted, name: str, most: int) -> str:
    """One line of text; what is longer than its field could be is cut off, so that a draft is always kept."""
    return " ".join(clean(posted.get(name)).split())[:most]


def _height(text: str) -> int:
    return min(max(int(text), 120), 3000) if text.isascii() and text.isdigit() and len(text) <= 5 else 640


def _params(posted: Posted, start: str) -> dict[str, str]:
    given = {name.removeprefix(start): _line(posted, name, MOST_LINE) for name in posted if name.startswith(start)}
    return {name: value for name, value in list(given.items())[:MOST_PARAMS] if value}


def _cell(posted: Posted, start: str) -> dict[str, str]:
    return {
        "source": _line(posted, f"{start}source", MOST_ADDRESS), "alt": _line(posted, f"{start}alt", MOST_LINE),
        "text": words(posted.get(f"{start}text")),
    }  # fmt: skip


def words(text: str | None) -> str:
    """Several lines as they are kept."""
    return clean(text).replace("\r\n", "\n")[:MOST_WORDS]


class PlacedForm(Form):
    """Where a page stands. parent: the public id of a page, or ""."""

    parent = SelectField("Below", default="", validate_choice=True)
    in_menu = BooleanField("Show in the menu", default=True)

    def offer(self, pages: list[SitePage]) -> None:
        """Fill the choices of the parent."""
        choices = [SelectChoice(one.public_id, f"{one.title} ({one.path})") for one in pages]
        self.parent.choices = [SelectChoice("", "Nothing, it stands on its own"), *choices]


class NewPageForm(PlacedForm):
    """A page to begin with."""

    title = Text("Title", [InputRequired("Give the page a title."), Length(max=120)])
    path = Text("Address", [Length(max=200)], description="Made from the title when left empty. The home page is /.")


class PlaceForm(PlacedForm):
    """Where a page is."""

    path = Text("Address", [InputRequired("Enter an address."), Length(max=200)],
                description="Lower-case words with hyphens, such as /opening-hours. The home page is /.")  # fmt: skip
    menu_label = Text("Words in the menu", [Length(max=60)], description="The title when left empty.")


class Moment(DateTimeLocalField):  # type: ignore[misc]  # WTForms has no types
    """A day with a time, as the browser's control sends it."""

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError("This is no day with a time. Choose one such as 24 March 2026, 09:30.") from None


class PlanForm(Form):
    """When a page goes live, in the site's time zone."""

    publish_at = Moment(
        "When", [InputRequired("Choose a day and a time.")], format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
    )

    def moment(self, zone: str) -> datetime:
        found: datetime = self.publish_at.data
        return found.replace(tzinfo=ZoneInfo(zone))


class LookForm(Form):
    """The look of all pages of a site."""

    accent = Text("Brand colour", [Regexp(r"#[0-9a-fA-F]{6}$", message="Choose a colour such as #1e3a8a.")])
    font = SelectField("Typeface", choices=[SelectChoice(*one) for one in FONTS])
    theme = SelectField("Light or dark", choices=[SelectChoice(*one) for one in THEMES])
    tagline = Text("Line beside the name", [Length(max=120)], description="In the head of every page, on wide screens.")
    footer = LongText("Foot of every page", [Length(max=2000)],
                      description="Markdown: address, opening hours, legal links.")  # fmt: skip
    listed = BooleanField("Search engines may list this site")
    lost_title = Text("Heading", [Length(max=120)], description="“Page not found” when left empty.")
    lost_text = LongText("Text", [Length(max=2000)], description="Markdown, shown above a link to the home page.")

    def values(self) -> dict[str, Any]:
        """The columns of Look."""
        names = ("font", "theme", "tagline", "footer", "listed", "lost_title", "lost_text")
        return {name: self[name].data for name in names} | {"accent": self.accent.data.lower()}


class RedirectForm(Form):
    """An old address and where it leads."""

    source = Text("Old address", [InputRequired("Enter the old path."), Length(max=500)])
    target = Text("Leads to", [InputRequired("Enter where it leads."), Length(max=2000)])
