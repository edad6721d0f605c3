"""Blocks: what is taken in, what keeps a page from going live, what an editor does with them, pictures, addresses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image

from app.errors import Invalid, NotFound
from app.lib.pictures import NotAPicture
from app.pages.content import Content, faults, read_content
from app.pages.editing import EDITS, TooManyBlocks, add_block
from app.pages.images import encode_picture
from app.pages.paths import page_path, path_from_title, redirect_source, redirect_target
from app.pages.preview import LASTS, LinkOver, preview_token, read_token
from app.pages.rendering import level_headings, words
from app.pages.serving import Place
from tests.support.pagedesk import picture

IMG = "img_01m84f3v13ef587eaqnetrjs8f"
PLACE = Place(origin="http://127.0.0.1:8001", base="/s/harbour", slug="harbour")


def page(*blocks: dict[str, Any], **values: Any) -> Content:
    named = [{"id": f"{number:08d}", **block} for number, block in enumerate(blocks)]
    return read_content({"title": "Home", "blocks": named, **values})


def kinds(content: Content) -> list[str]:
    return [block.kind for block in content.blocks]


@pytest.mark.parametrize(
    "block",
    [
        {"kind": "html", "text": "<script>"},
        {"kind": "heading", "text": "Hi", "level": 1},
        {"kind": "text", "text": "x" * 20_001},
        {"kind": "text", "text": "x", "onclick": "alert(1)"},
        {"kind": "columns", "cells": [{}]},
        {"kind": "spacer", "size": "xl"},
        {"kind": "module", "install": "ste_0", "page": "contact"},
        {"kind": "module", "install": "ins_01m84f3v13ef587eaqnetrjs8f", "page": "../admin"},
        {"kind": "module", "install": "ins_01m84f3v13ef587eaqnetrjs8f", "page": "contact", "height": 9000},
    ],
)
def test_what_is_no_block_is_refused(block: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        page(block)


@pytest.mark.parametrize(
    ("block", "wanting"),
    [
        ({"kind": "heading"}, ["/blocks/0/text"]),
        ({"kind": "image"}, ["/blocks/0/source"]),
        ({"kind": "image", "source": IMG}, ["/blocks/0/alt"]),
        ({"kind": "image", "source": "http://example.com/a.png", "alt": "A"}, ["/blocks/0/source"]),
        ({"kind": "image", "source": "https://example.com/a.png", "alt": "A"}, []),
        ({"kind": "button", "label": "Go"}, ["/blocks/0/link"]),
        ({"kind": "button", "label": "Go", "link": "javascript:alert(1)"}, ["/blocks/0/link"]),
        ({"kind": "button", "label": "Go", "link": "//evil.example"}, ["/blocks/0/link"]),
        ({"kind": "button", "label": "Go", "link": "https://user:pw@example.com/"}, ["/blocks/0/link"]),
        ({"kind": "button", "label": "Go", "link": "/contact#form"}, []),
        ({"kind": "button", "label": "Go", "link": "mailto:desk@harbour.example"}, []),
        ({"kind": "button", "label": "Go", "link": "tel:+351 21 000 000"}, []),
        ({"kind": "columns", "cells": [{"source": IMG}, {"text": "Words"}]}, ["/blocks/0/0-alt"]),
        ({"kind": "spacer", "line": True}, []),
    ],
)
def test_an_unfinished_page_is_kept_but_does_not_go_live(block: dict[str, Any], wanting: list[str]) -> None:
    assert [fault.pointer for fault in faults(page(block))] == wanting


def test_a_page_without_title_or_with_a_picture_nobody_describes_does_not_go_live() -> None:
    assert [fault.pointer for fault in faults(read_content({"image": IMG}))] == ["/title", "/image_alt"]


def test_blocks_are_put_in_moved_doubled_and_taken_out() -> None:
    content = page({"kind": "heading", "text": "One"}, {"kind": "spacer"})
    content, added = add_block(content, "text", after="00000000")
    assert kinds(content) == ["heading", "text", "spacer"]
    assert kinds(EDITS["up"](content, added)) == ["text", "heading", "spacer"]
    assert kinds(EDITS["down"](content, added)) == ["heading", "spacer", "text"]
    assert EDITS["up"](content, "00000000") == content  # it is the first already
    double = EDITS["copy"](content, "00000000")
    assert kinds(double) == ["heading", "heading", "text", "spacer"]
    assert len({block.id for block in double.blocks}) == 4
    assert kinds(EDITS["remove"](content, added)) == ["heading", "spacer"]
    with pytest.raises(Invalid, match="no longer"):
        EDITS["remove"](content, "ffffffff")


def test_columns_are_two_to_four_and_a_page_has_a_hundred_blocks_at_most() -> None:
    content = page({"kind": "columns"})
    sizes = []
    for act in ("fewer", "more", "more", "more", "fewer"):
        content = EDITS[act](content, "00000000")
        sizes.append(len(content.blocks[0].cells))  # type: ignore[union-attr]
    assert sizes == [2, 3, 4, 4, 3]
    full = page(*[{"kind": "spacer"}] * 100)
    with pytest.raises(TooManyBlocks):
        add_block(full, "text")


def test_markdown_is_cleaned_and_its_links_lead_into_the_site() -> None:
    html = words(PLACE, "# Gone\n[in](/about) [out](https://example.com) [bad](javascript:x) <b onclick=x>raw</b>")
    assert str(html) == (
        '<div class="prose" hx-ignore><p><a href="/s/harbour/about">in</a> '
        '<a href="https://example.com" rel="noopener nofollow">out</a> [bad](javascript:x) '
        "&lt;b onclick=x&gt;raw&lt;/b&gt;</p>\n</div>"
    )


def test_headings_skip_no_level() -> None:
    assert level_headings("<h1>A</h1><h4 id=x>B</h4><h4>C</h4><h2>D</h2><h3>E</h3><p>h4</p>") == (
        "<h1>A</h1><h2 id=x>B</h2><h3>C</h3><h2>D</h2><h3>E</h3><p>h4</p>"
    )


@pytest.mark.parametrize("link", ["javascript:alert(1)", "//evil.example", "data:text/html,x", "", "\\\\evil"])
def test_a_link_that_may_lead_nowhere_leads_nowhere(link: str) -> None:
    assert PLACE.url(link) == "#"


@pytest.mark.parametrize(
    ("text", "path"),
    [("about", "/about"), ("/About/Team/", "/about/team"), ("", "/"), ("/", "/"), ("opening-hours", "/opening-hours")],
)
def test_a_pages_address_is_written_one_way(text: str, path: str) -> None:
    assert page_path(text) == path


@pytest.mark.parametrize(
    "text", ["/a b", "/ä", "/a//b", "/a.html", "/-/images", "/embed/x", "/static", "/s", "/" + "a" * 201]
)
def test_an_address_that_a_page_cannot_have(text: str) -> None:
    with pytest.raises(Invalid):
        page_path(text)


def test_an_address_is_made_from_the_title() -> None:
    assert path_from_title("Über uns & mehr", parent="/praxis") == "/praxis/uber-uns-mehr"


@pytest.mark.parametrize("source", ["about", "/", "//x", "/a?b=1", "/-/preview/x", "/embed/x", "/" + "a" * 500])
def test_an_address_that_cannot_lead_elsewhere(source: str) -> None:
    with pytest.raises(Invalid):
        redirect_source(source)


@pytest.mark.parametrize(
    "target", ["http://example.com", "javascript:alert(1)", "//evil.example", "contact", "https://"]
)
def test_an_address_that_no_redirect_leads_to(target: str) -> None:
    with pytest.raises(Invalid):
        redirect_target(target)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_picture_is_encoded_anew_small_enough_and_without_what_was_written_into_it(kind: str) -> None:
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "GPS of a home", 6  # turned by a quarter
    how = {"exif": exif} if kind in ("JPEG", "WEBP") else {}
    encoded = encode_picture(picture(3000, 1000, kind, **how))
    turned = kind in ("JPEG", "WEBP")
    assert (encoded.width, encoded.height) == ((667, 2000) if turned else (2000, 667))
    with Image.open(BytesIO(encoded.full)) as kept:
        assert (kept.format, kept.size, dict(kept.getexif())) == ("WEBP", (encoded.width, encoded.height), {})
    assert bool(encoded.small) is not turned
    assert b"GPS of a home" not in encoded.full


@pytest.mark.parametrize(
    "content",
    [
        b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<script>alert(1)</script>", b"\x89PNG\r\n\x1a\nbroken",
        picture(200, 200)[:80], picture(20, 20, "BMP"), picture(20, 20, "TIFF"),
    ],
)  # fmt: skip
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(NotAPicture):
        encode_picture(content)


def test_a_picture_with_too_many_pixels_or_bytes_is_refused_before_it_is_unpacked() -> None:
    with pytest.raises(Invalid, match="24 million"):
        encode_picture(picture(6000, 4001))
    with pytest.raises(Invalid, match="8 MB"):
        encode_picture(bytes(8 * 1024 * 1024 + 1))


def test_a_preview_link_opens_one_page_for_an_hour() -> None:
    keys, now = ("k" * 40, "old" * 20), datetime(2026, 3, 1, 12, tzinfo=UTC)
    page_id, version_id = uuid4(), uuid4()
    token = preview_token(keys, page_id, now=now, version_id=version_id, framed=True)
    assert read_token(keys, token, now=now + LASTS) == (page_id, version_id, True)
    assert read_token(("new" * 20, *keys), preview_token(keys, page_id, now=now), now=now) == (page_id, None, False)
    with pytest.raises(LinkOver):
        read_token(keys, token, now=now + LASTS + timedelta(seconds=1))
    other = preview_token(keys, uuid4(), now=now).partition(".")[0]
    for wrong in ("", "a.b", token[:-1], f"{other}.{token.partition('.')[2]}", token.replace(".f.", ".w.")):
        with pytest.raises(NotFound):
            read_token(keys, wrong, now=now)
