"""What is on a page: its words for people and search engines, and its blocks. The one validator of drafts."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from typing import Annotated, Any, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from app.errors import FieldError, Invalid

MOST_BLOCKS, MOST_CELLS, MOST_PARAMS = 100, 4, 30
_PATH = re.compile(r"/[A-Za-z0-9._~/%-]*(\?[A-Za-z0-9._~%=&-]*)?(#[\w-]*)?")
_CONTACT = re.compile(r"mailto:[^\s<>\"@]+@[^\s<>\"@]+|tel:\+?[0-9 ()-]{3,30}")
_IMAGE = re.compile(r"img_[0-9a-hjkmnp-tv-z]{26}")


def https_address(text: str) -> bool:
    """Whether the text is an https address of some host, with nothing that a header or an attribute could trip over."""
    if not text.isprintable() or any(sign in text for sign in " \"'<>\\"):
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme == "https" and bool(parts.hostname) and not parts.username and not parts.password
    except ValueError:
        return False


def own_path(text: str) -> bool:
    """Whether the text is a path of the site itself, such as /about or /#team."""
    return not text.startswith("//") and _PATH.fullmatch(text) is not None


def good_link(text: str) -> bool:
    """Whether a button may lead there: a path of the site, an https address, mailto: or tel:."""
    return own_path(text) or https_address(text) or _CONTACT.fullmatch(text) is not None


def good_picture(text: str) -> bool:
    """Whether a picture may come from there: one that was uploaded, or an https address."""
    return _IMAGE.fullmatch(text) is not None or https_address(text)


Link = Annotated[str, StringConstraints(max_length=1000)]
Picture = Annotated[str, StringConstraints(max_length=1000)]
"""An uploaded picture `img_…`, or an https address."""
Line = Annotated[str, StringConstraints(max_length=200)]
Words = Annotated[str, StringConstraints(max_length=20_000)]
Pixels = Annotated[int, Field(ge=0, le=10_000)]
"""Of an uploaded picture, written when the draft is kept; 0 is unknown."""
BlockId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{8}$")]


def new_block_id() -> str:
    """Eight letters and digits, for anchors and the names of a form's fields."""
    return secrets.token_hex(4)


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Block(Part):
    id: BlockId = Field(default_factory=new_block_id)


class Heading(Block):
    kind: Literal["heading"] = "heading"
    text: Line = ""
    level: Literal[2, 3] = 2


class RichText(Block):
    kind: Literal["text"] = "text"
    text: Words = ""
    """Markdown."""


class Image(Block):
    kind: Literal["image"] = "image"
    source: Picture = ""
    alt: Line = ""
    caption: Line = ""
    wide: bool = False
    width: Pixels = 0
    height: Pixels = 0


class Button(Block):
    kind: Literal["button"] = "button"
    label: Annotated[str, StringConstraints(max_length=60)] = ""
    link: Link = ""
    quiet: bool = False


class Cell(Part):
    """One column. An image needs its alt text, as everywhere."""

    source: Picture = ""
    alt: Line = ""
    text: Words = ""
    width: Pixels = 0
    height: Pixels = 0


class Columns(Block):
    kind: Literal["columns"] = "columns"
    cells: Annotated[tuple[Cell, ...], Field(min_length=2, max_length=MOST_CELLS)] = (Cell(), Cell())
    cards: bool = False


class Spacer(Block):
    kind: Literal["spacer"] = "spacer"
    size: Literal["s", "m", "l"] = "m"
    line: bool = False


class ModulePage(Block):
    """A page of an installed module, in a frame of its own. title: read out for the frame; height: in px."""

    kind: Literal["module"] = "module"
    install: Annotated[str, StringConstraints(pattern=r"^ins_[0-9a-hjkmnp-tv-z]{26}$")]
    page: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=60)]
    title: Line = ""
    height: Annotated[int, Field(ge=120, le=3000)] = 640
    params: Annotated[dict[str, Line], Field(max_length=MOST_PARAMS)] = Field(default_factory=dict)


AnyBlock: TypeAlias = Annotated[
    Heading | RichText | Image | Button | Columns | Spacer | ModulePage, Field(discriminator="kind")
]
KINDS: dict[str, type[Block]] = {
    "heading": Heading, "text": RichText, "image": Image, "button": Button, "columns": Columns, "spacer": Spacer,
    "module": ModulePage,
}  # fmt: skip


class Content(Part):
    """A whole page. title: its h1; seo_title and description: for search engines, the title and nothing when empty.

    A draft may be unfinished: faults() says what keeps it from going live.
    """

    title: Annotated[str, StringConstraints(max_length=120)] = ""
    lead: Annotated[str, StringConstraints(max_length=400)] = ""
    seo_title: Annotated[str, StringConstraints(max_length=120)] = ""
    description: Annotated[str, StringConstraints(max_length=320)] = ""
    image: Picture = ""
    image_alt: Line = ""
    noindex: bool = False
    blocks: Annotated[tuple[AnyBlock, ...], Field(max_length=MOST_BLOCKS)] = ()

    def to_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json")

    def images(self) -> Iterator[str]:
        """Ids of the uploaded pictures it shows."""
        for source in (self.image, *(source for block in self.blocks for source in _sources(block))):
            if source.startswith("img_"):
                yield source


def _sources(block: Block) -> Iterator[str]:
    if isinstance(block, Image):
        yield block.source
    if isinstance(block, Columns):
        yield from (cell.source for cell in block.cells)


def read_content(values: dict[str, Any]) -> Content:
    """A page from what was sent. Raises Invalid with a pointer such as /blocks/2/link for each fault."""
    try:
        content = Content.model_validate(values)
    except ValidationError as error:
        raise Invalid("Some of it is not as it has to be.", errors=[_fault(item) for item in error.errors()]) from error
    if len({block.id for block in content.blocks}) != len(content.blocks):
        raise Invalid("Two blocks have one name. Load the page again.")
    return content


def stored(values: dict[str, Any]) -> Content:
    """A page as the database has it; it was validated when it was kept."""
    return Content.model_validate(values)


def faults(content: Content) -> list[FieldError]:
    """What has to be mended before the page may go live, each with the place of its field, such as /blocks/2/alt.

    A block is called as the editor calls it, by its kind and its place on the page: "Image 3".
    """
    found = []
    if not content.title:
        found.append(FieldError("/title", "required", "Give the page a title."))
    for name, detail in _picture_faults("image", content.image, content.image_alt):
        found.append(FieldError(f"/{name}", "required", f"Picture for sharing: {detail}"))
    for number, block in enumerate(content.blocks):
        for name, detail in _block_faults(block):
            found.append(
                FieldError(f"/blocks/{number}/{name}", "required", f"{block_name(block)} {number + 1}: {detail}")
            )
    return found


def _block_faults(block: Block) -> Iterator[tuple[str, str]]:
    if isinstance(block, Heading) and not block.text:
        yield "text", "it has no words."
    if isinstance(block, Image):
        yield from _picture_faults("source", block.source, block.alt, "alt")
        if not block.source:
            yield "source", "choose a picture."
    if isinstance(block, Button) and not block.label:
        yield "label", "it has no words."
    if isinstance(block, Button) and not good_link(block.link):
        yield "link", "it needs a path such as /contact, an https address, mailto: or tel:."
    if isinstance(block, Columns):
        for number, cell in enumerate(block.cells):
            yield from _picture_faults(f"{number}-source", cell.source, cell.alt, f"{number}-alt")
    if isinstance(block, ModulePage) and not block.title:
        yield "title", "give the frame a title for people who cannot see it."


def _picture_faults(name: str, source: str, alt: str, alt_name: str = "image_alt") -> Iterator[tuple[str, str]]:
    if source and not good_picture(source):
        yield name, "upload a picture, or enter its https address."
    if source and not alt:
        yield alt_name, "describe the picture for people who cannot see it."


def block_name(block: Block) -> str:
    """What people call a block of this kind."""
    return NAMES[getattr(block, "kind")]  # noqa: B009  # every class of AnyBlock has it


NAMES = {
    "heading": "Heading", "text": "Text", "image": "Image", "button": "Button", "columns": "Columns", "spacer": "Spacer",
    "module": "Module",
}  # fmt: skip


def _fault(item: Any) -> FieldError:
    # a tagged union puts the tag into the place: /blocks/3/button/link is /blocks/3/link to everybody else
    place = [str(part) for part in item["loc"]]
    if len(place) > 2 and place[0] == "blocks" and place[2] in KINDS:
        del place[2]
    detail = str(item["msg"]).removeprefix("Value error, ")
    return FieldError("/" + "/".join(place), str(item["type"]), detail)
