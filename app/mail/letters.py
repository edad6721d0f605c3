"""The words of letters: templates/email/<name>/{subject.txt,text.txt,html.html}, with what they are about."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypedDict

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

TEMPLATES = Path(__file__).parents[2] / "templates"


class Parts(TypedDict):
    """The keyword arguments of post() that are words."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Words:
    """A letter without its address: one line of subject, plain text, HTML."""

    subject: str
    text: str
    html: str

    def parts(self) -> Parts:
        return {"subject": self.subject, "text": self.text, "html": self.html}


def compose(letter: str, /, **about: Any) -> Words:
    """A letter filled in, such as compose("accounts/reset", link=…). A missing value is an error."""
    folder = f"email/{letter}"
    return Words(
        subject=_environment().get_template(f"{folder}/subject.txt").render(about).strip(),
        text=_environment().get_template(f"{folder}/text.txt").render(about).strip() + "\n",
        html=_environment().get_template(f"{folder}/html.html").render(about),
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=select_autoescape(["html"]),
        trim_blocks=True,
        lstrip_blocks=True,
    )
