"""What a file is, its bytes say; what is left of a picture are its pixels; what is left of a name is harmless."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from app.runtime.files.images import redraw
from app.runtime.files.kinds import JPEG, PDF, PNG, WEBP, FileNotAccepted, clean_name, tell_kind
from app.runtime.files.serving import content_disposition
from tests.support import files


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("a.png", files.picture(), "image/png"),
        ("phone.jpg", files.picture(), "image/png"),  # phones do that
        ("a.jpeg", files.picture("JPEG"), "image/jpeg"),
        ("a.webp", files.picture("WEBP"), "image/webp"),
        ("a.gif", files.picture("GIF"), "image/gif"),
        ("a.pdf", files.PDF, "application/pdf"),
        ("noname", files.PDF, "application/pdf"),
        (
            "a.docx",
            files.office("word/document.xml"),
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        ("a.csv", "naïve;1\r\n".encode() * 9000, "text/csv"),
        ("a.txt", b"plain words", "text/plain"),
        ("a.mp3", b"ID3\x04" + b"\0" * 50, "audio/mpeg"),
        ("a.mp4", b"\0\0\0\x18ftypisom" + b"\0" * 50, "video/mp4"),
    ],
)
def test_a_file_is_what_its_bytes_say(name: str, content: bytes, media_type: str) -> None:
    assert tell_kind(io.BytesIO(content), name).media_type == media_type


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.svg", files.SVG),
        ("a.txt", files.SVG),  # a page or a picture in XML is no text
        ("a.txt", files.HTML),
        ("a.html", files.HTML),
        ("a.png", files.HTML),
        ("a.png", files.PDF),
        ("a.pdf", files.picture()),
        ("a.exe", b"MZ\x90\0" + b"\0" * 100),
        ("a.txt", b"MZ\x90\0" + b"\0" * 100),
        ("a.zip", files.office("anything.txt")),
        ("a.docm", files.office("word/document.xml", "word/vbaProject.bin")),
        ("a.docx", b"PK\x03\x04 and nothing else"),
        ("a.csv", b"caf\xe9;1"),
        ("a.js", b"alert(1)"),
        ("a", b""),
    ],
)
def test_what_is_not_on_the_list_or_named_otherwise_is_refused(name: str, content: bytes) -> None:
    with pytest.raises(FileNotAccepted):
        tell_kind(io.BytesIO(content), name)


def test_a_picture_keeps_its_pixels_and_nothing_else() -> None:
    made = redraw(io.BytesIO(files.with_camera_data()), JPEG)
    with Image.open(io.BytesIO(made.content)) as image:
        assert (image.size, dict(image.getexif())) == ((30, 40), {})  # upright
    assert b"SecretCam" not in made.content
    assert b"script" not in made.content
    with Image.open(io.BytesIO(made.copies["small"])) as small:
        assert (small.format, small.size) == ("WEBP", (30, 40))


def test_a_moving_picture_still_moves_and_a_large_one_gets_smaller_copies() -> None:
    out = io.BytesIO()
    frames = [Image.new("RGBA", (20, 20), (value, 0, 0, 255)) for value in (10, 120, 250)]
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:], duration=80)
    with Image.open(io.BytesIO(redraw(out, WEBP).content)) as image:
        assert image.n_frames == 3
    large = redraw(io.BytesIO(files.picture(size=(1000, 500))), PNG)
    sizes = {}
    for name, copy in large.copies.items():
        with Image.open(io.BytesIO(copy)) as image:
            sizes[name] = image.size
    assert sizes == {"small": (320, 160), "medium": (960, 480)}
    assert list(redraw(io.BytesIO(files.picture(size=(300, 200))), PNG).copies) == ["small"]


@pytest.mark.parametrize(
    "content",
    [
        files.bomb(50_000, 50_000),
        files.bomb(7_000, 6_000),  # 42 megapixels
        files.bomb(21_000, 10),
        files.bomb(300, 300),  # too few bytes for what it promises
        files.picture()[:60],
        b"\x89PNG\r\n\x1a\n" + files.HTML,
    ],
)
def test_a_picture_that_is_none_or_too_large_is_refused(content: bytes) -> None:
    with pytest.raises(FileNotAccepted):
        redraw(io.BytesIO(content), PNG)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\Users\\ada\\plan.pdf", "plan.pdf"),
        ("plan.PDF", "plan.pdf"),
        ("invoice.exe", "invoice.exe.pdf"),
        ("photo\u202efdp.png", "photo fdp.pdf"),
        ('a"b\r\nSet-Cookie: x.pdf', "a b Set-Cookie x.pdf"),
        ("   ..   ", "file.pdf"),
        ("ü" * 300 + ".pdf", "ü" * 114 + ".pdf"),
    ],
)
def test_names_are_made_harmless(name: str, kept: str) -> None:
    assert clean_name(name, PDF) == kept


def test_a_download_is_named_for_old_and_new_clients() -> None:
    assert content_disposition("Größe 5%.pdf", inline=False) == (
        "attachment; filename=\"Gr__e 5_.pdf\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%205%25.pdf"
    )
