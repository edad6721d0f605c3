"""The marketplace's address read: words, filters, order, page; the filters as a screen offers them; the forms of staff."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, DateField, DateTimeLocalField, SelectField
from wtforms.validators import DataRequired, Length, Optional, Regexp

from app.marketplace import names
from app.marketplace.search import Found, Search
from app.web.forms import Form, LongText, Text, clean

SORTS = (
    ("relevance", "Best match"),  # without words the most installed
    ("popular", "Most installed"),
    ("newest", "Newest"),
    ("rating", "Best rated"),
    ("price", "Price, low to high"),
    ("-price", "Price, high to low"),
)
_WORD = re.compile(r"[^\W_]+")
_SHOWN = 8  # values of a filter before "more"


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: str
    count: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class Facet:
    """One filter. kind: "many" of its values, "one" of them, or "flag". options: the first are shown, the rest on demand."""

    name: str
    label: str
    kind: str
    options: tuple[Option, ...]
    more: tuple[Option, ...] = ()

    @property
    def chosen(self) -> list[Option]:
        return [option for option in (*self.options, *self.more) if option.chosen]


@dataclass(frozen=True, slots=True)
class _Kind:
    name: str
    label: str
    kind: str
    values: tuple[str, ...]
    write: Callable[[str], str]


_KINDS = (
    _Kind("category", "Category", "many", names.CATEGORIES, names.written),
    _Kind("price", "Price", "many", names.PRICES, names.written),
    _Kind("rating", "Rating", "one", names.RATINGS, names.rating),
    _Kind("type", "Type", "many", names.TYPES, names.written),
    _Kind("capability", "What it does", "many", names.CAPABILITIES, names.capability),
    _Kind("verified", "Trust", "flag", ("true",), lambda value: "Verified publisher"),
    _Kind("beta", "Early access", "flag", ("true",), lambda value: "Not open to everybody yet"),
)


def read_search(args: MultiDict[str, str]) -> tuple[Search, str]:
    """What an address asks for, and its words as typed. What does not exist is not asked for."""
    text = clean(args.get("q"))[:100]
    words = tuple(word.lower() for word in _WORD.findall(text))[:8]
    chosen = {}
    for kind in _KINDS:
        values = tuple(value for value in dict.fromkeys(args.getlist(kind.name)) if value in kind.values)
        if values:
            chosen[kind.name] = values[:1] if kind.kind == "one" else values
    sort = args.get("sort", "")
    sort = sort if sort in dict(SORTS) else "relevance"
    page = args.get("page", "")
    number = int(page) if page.isascii() and page.isdigit() and len(page) <= 6 else 1
    return Search(words=words, chosen=chosen, sort=sort, page=max(1, number)), text


def facets_of(found: Found, asked: Search) -> list[Facet]:
    """The filters with something in them, values by how many modules have them; a chosen value stays whatever it counts."""
    made = (_facet(kind, found.facets.get(kind.name, {}), asked.chosen.get(kind.name, ())) for kind in _KINDS)
    return [facet for facet in made if facet.options]


def _facet(kind: _Kind, counts: dict[str, int], chosen: tuple[str, ...]) -> Facet:
    options = [
        Option(value, kind.write(value), counts.get(value, 0), value in chosen)
        for value in kind.values
        if value in counts or value in chosen
    ]
    if kind.name in ("category", "capability"):
        options.sort(key=lambda option: (not option.chosen, -option.count, option.label))
    return Facet(kind.name, kind.label, kind.kind, tuple(options[:_SHOWN]), tuple(options[_SHOWN:]))


class CollectionForm(Form):
    name = Text("Name", [DataRequired("Enter a name."), Length(max=60)])
    summary = Text("One sentence", [Length(max=200)])
    shown = BooleanField("Shown in the marketplace")
    starts_at = DateTimeLocalField(
        "From", format="%Y-%m-%dT%H:%M", validators=[Optional()], description="UTC. Empty: at once."
    )
    ends_at = DateTimeLocalField(
        "Until", format="%Y-%m-%dT%H:%M", validators=[Optional()], description="UTC. Empty: for good."
    )


class NewCollectionForm(Form):
    name = Text("Name", [DataRequired("Enter a name."), Length(max=60)])
    slug = Text(
        "Short name",
        [
            Regexp(
                r"^[a-z][a-z0-9-]{1,38}[a-z0-9]$", message="3 to 40 of a–z, 0–9 and hyphens, beginning with a letter."
            )
        ],
        description="Part of its address, for good.",
        render_kw={"autocapitalize": "none", "spellcheck": "false"},
    )
    summary = Text("One sentence", [Length(max=200)])


def _categories() -> list[tuple[str, str]]:
    return sorted(((name, names.written(name)) for name in names.CATEGORIES), key=lambda one: one[1])


class GrantForm(Form):
    agency = Text(
        "Agency", [DataRequired("Enter the agency's short name.")], description="Its short name, as in its address.",
        render_kw={"autocapitalize": "none", "spellcheck": "false"},
    )  # fmt: skip
    module = Text(
        "Module", [DataRequired("Enter the module's short name.")], description="Its short name, as in its address.",
        render_kw={"autocapitalize": "none", "spellcheck": "false"},
    )  # fmt: skip
    ends_on = DateField("Last day", validators=[Optional()], description="UTC. Empty: for good.")
    note = Text("Note", [Length(max=200)], description="For staff, such as the number of an order.")


class RequestForm(Form):
    title = Text("What is missing?", [DataRequired("Say in a few words what is missing."), Length(max=100)])
    category = SelectField("Category", choices=_categories)
    text = LongText("What should it do?", [Length(max=2000)])
