"""listing.yaml: what the marketplace shows, editable without a release."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field, StringConstraints, ValidationError

from app.modules.manifest.base import Part
from app.modules.manifest.messages import problems_of
from app.modules.manifest.problems import Problem
from app.modules.manifest.yamltext import read_yaml

FILE = "listing.yaml"
Link = Annotated[str, StringConstraints(pattern=r"^https://[^\s\"'<>\\]{3,400}$")]


class Feature(Part):
    """One selling point."""

    title: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    text: Annotated[str, StringConstraints(max_length=400)] = ""


class Listing(Part):
    """The text of a module in the marketplace."""

    tagline: Annotated[str, StringConstraints(max_length=140)] = ""
    """One line below the name."""
    description: Annotated[str, StringConstraints(max_length=20_000)] = ""
    """Markdown."""
    tags: Annotated[
        tuple[Annotated[str, StringConstraints(min_length=1, max_length=30)], ...], Field(max_length=20)
    ] = ()
    features: Annotated[tuple[Feature, ...], Field(max_length=20)] = ()
    screenshots: Annotated[tuple[str, ...], Field(max_length=10)] = ()
    """Files of screenshots/, in order."""
    support_url: Link | None = None
    docs_url: Link | None = None


def read_listing(text: bytes | None) -> tuple[Listing, list[Problem]]:
    """The listing of a package, an empty one when there is none, and what is wrong with it."""
    if text is None:
        return Listing(), []
    document = read_yaml(text, file=FILE)
    if document.problems or document.value is None:
        return Listing(), document.problems
    try:
        return Listing.model_validate(document.value), []
    except ValidationError as error:
        return Listing(), problems_of(error, model=Listing, document=document, file=FILE)


def missing_screenshots(listing: Listing, files: dict[str, bytes]) -> list[Problem]:
    """A problem for each screenshot that is named and not there."""
    return [
        Problem(f"screenshots.{index}", f'no file "{name}" in screenshots/', code="reference", file=FILE)
        for index, name in enumerate(listing.screenshots)
        if f"screenshots/{re.sub(r'^screenshots/', '', name)}" not in files
    ]
