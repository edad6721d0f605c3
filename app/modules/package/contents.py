"""What is in a file: is it what its name says, is it safe to serve, does it hold a secret."""

from __future__ import annotations

import re
import struct
from xml.etree import ElementTree

from app.modules.manifest.problems import Problem
from app.modules.package.limits import MAX_PIXELS, MAX_TEXT_BYTES
from app.modules.package.paths import FONTS, IMAGES

_ARCHIVES = (
    (0, b"PK\x03\x04"), (0, b"PK\x05\x06"), (0, b"\x1f\x8b"), (0, b"BZh"), (0, b"\xfd7zXZ\x00"), (0, b"7z\xbc\xaf\x27\x1c"),
    (0, b"Rar!\x1a\x07"), (0, b"\x28\xb5\x2f\xfd"), (257, b"ustar"), (0, b"MSCF"), (0, b"!<arch>\n"),
)  # fmt: skip
_MAGIC: dict[str, tuple[tuple[int, bytes], ...]] = {
    "png": ((0, b"\x89PNG\r\n\x1a\n"),),
    "jpg": ((0, b"\xff\xd8\xff"),),
    "jpeg": ((0, b"\xff\xd8\xff"),),
    "gif": ((0, b"GIF87a"), (0, b"GIF89a")),
    "webp": ((8, b"WEBP"),),
    "avif": ((4, b"ftypavif"), (4, b"ftypavis")),
    "ico": ((0, b"\x00\x00\x01\x00"),),
    "woff": ((0, b"wOFF"),),
    "woff2": ((0, b"wOF2"),),
}
_BINARY = (*(kind for kind in IMAGES if kind != "svg"), *FONTS)


def check_content(path: str, content: bytes) -> list[Problem]:
    """Everything wrong with one file's contents."""
    kind = path.rpartition(".")[2].lower() if "." in path else ""
    if any(content.startswith(mark, at) for at, mark in _ARCHIVES):
        return [_problem(path, "is an archive; a package holds no archives", "nested_archive")]
    if kind in _BINARY:
        return _binary(path, kind, content)
    return _text(path, kind, content)


def _problem(path: str, message: str, code: str, line: int = 0, column: int = 0) -> Problem:
    return Problem("", message, line, column, code, file=path)


def _binary(path: str, kind: str, content: bytes) -> list[Problem]:
    if not any(content.startswith(mark, at) for at, mark in _MAGIC[kind]):
        return [_problem(path, f"is not a {kind} file, whatever its name says", "magic")]
    if b"PK\x05\x06" in content[-65_557:]:
        return [_problem(path, "has a zip archive hidden in it", "nested_archive")]
    size = _pixels(kind, content)
    if size is not None and size[0] * size[1] > MAX_PIXELS:
        return [_problem(path, f"has {size[0]} x {size[1]} pixels; at most {MAX_PIXELS} in all", "pixels")]
    return []


def _pixels(kind: str, content: bytes) -> tuple[int, int] | None:
    """Width and height from the header, None for kinds that give none there."""
    try:
        if kind == "png":
            return struct.unpack_from(">2L", content, 16)
        if kind == "gif":
            return struct.unpack_from("<2H", content, 6)
        if kind in ("jpg", "jpeg"):
            return _jpeg_pixels(content)
        if kind == "webp" and content[12:16] == b"VP8X":
            return (int.from_bytes(content[24:27], "little") + 1, int.from_bytes(content[27:30], "little") + 1)
    except (struct.error, IndexError):
        return None
    return None


def _jpeg_pixels(content: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(content) and content[at] == 0xFF:
        marker, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">2H", content, at + 5)
            return width, height
        at += 2 + length
    return None


def _text(path: str, kind: str, content: bytes) -> list[Problem]:
    if len(content) > MAX_TEXT_BYTES:
        return [_problem(path, f"has {len(content)} bytes; a text file has at most {MAX_TEXT_BYTES}", "size")]
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        return [_problem(path, f"is not UTF-8 text (byte {error.start})", "encoding")]
    if "\x00" in text:
        line = text[: text.index("\x00")].count("\n") + 1
        return [_problem(path, "has a NUL character in it", "encoding", line)]
    return [*secrets_in(path, text), *(_svg(path, text) if kind == "svg" else [])]


# Formats that their makers document; a mere high-entropy text is no finding.
_SECRETS = (
    (re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----"), "a private key"),
    (re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"), "an AWS access key"),
    (re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36,}\b|\bgithub_pat_[A-Za-z0-9_]{60,}\b"), "a GitHub token"),
    (re.compile(r"\bglpat-[A-Za-z0-9_-]{20,}"), "a GitLab token"),
    (re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{20,}"), "a Slack token"),
    (re.compile(r"\b[rs]k_live_[A-Za-z0-9]{20,}"), "a Stripe live key"),
    (re.compile(r"\bAIza[A-Za-z0-9_-]{35}"), "a Google API key"),
    (re.compile(r"\bsk-(?:ant-|proj-)[A-Za-z0-9_-]{30,}"), "a key of an AI provider"),
    (re.compile(r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}"), "a SendGrid key"),
    (re.compile(r"\bnpm_[A-Za-z0-9]{36}\b"), "an npm token"),
    (re.compile(r"\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,}"), "a PyPI token"),
    (re.compile(r"\bwhsec_[A-Za-z0-9+/]{32,}"), "a webhook secret"),
    (re.compile(r"\bdmc_sk_[A-Za-z0-9_]{20,}"), "a secret Dramac key"),
)


def secrets_in(path: str, text: str) -> list[Problem]:
    """A problem for each secret of a well-known format; the secret itself is never repeated."""
    found = []
    for pattern, what in _SECRETS:
        for match in pattern.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            column = match.start() - text.rfind("\n", 0, match.start())
            message = f"holds what looks like {what}; remove it, replace the key at its maker, use a secret setting"
            found.append(_problem(path, message, "secret", line, column))
    return found


_SVG = "{http://www.w3.org/2000/svg}"
_ELEMENTS = frozenset(
    [
        *("svg", "g", "defs", "symbol", "use", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon"),
        *("text", "tspan", "textPath", "title", "desc", "metadata", "style", "switch", "view", "image", "marker"),
        *("linearGradient", "radialGradient", "stop", "pattern", "clipPath", "mask", "filter", "animate"),
        *("animateTransform", "animateMotion", "mpath"),
        *("feBlend", "feColorMatrix", "feComponentTransfer", "feComposite", "feConvolveMatrix", "feDiffuseLighting"),
        *("feDisplacementMap", "feDistantLight", "feDropShadow", "feFlood", "feFuncA", "feFuncB", "feFuncG"),
        *("feFuncR", "feGaussianBlur", "feMerge", "feMergeNode", "feMorphology", "feOffset", "fePointLight"),
        *("feSpecularLighting", "feSpotLight", "feTile", "feTurbulence"),
    ]
)
_DECLARATION = re.compile(r"\A\ufeff?\s*<\?xml\s[^>]*\?>")
_LINK = re.compile(r"\s*(#|data:image/(png|jpeg|gif|webp);base64,)", re.IGNORECASE)
_CSS = re.compile(r"@import|expression\s*\(|javascript:|\\|url\s*\((?!\s*['\"]?\s*#)", re.IGNORECASE)


def _svg(path: str, text: str) -> list[Problem]:
    declaration = _DECLARATION.match(text)
    if (
        declaration
        and "encoding" in declaration[0]
        and not re.search(r"encoding\s*=\s*['\"]utf-8['\"]", declaration[0], re.I)
    ):
        return [_problem(path, "is an SVG in another encoding than UTF-8", "svg")]
    body = text[declaration.end() :] if declaration else text.removeprefix("\ufeff")
    if "<!DOCTYPE" in body.upper() or "<!ENTITY" in body.upper() or "<?" in body:
        return [_problem(path, "has a DOCTYPE, entity or processing instruction; remove it", "svg")]
    try:
        root = ElementTree.fromstring(body)  # noqa: S314  # no DOCTYPE and no entity is left that could expand
    except ElementTree.ParseError as error:
        line, column = error.position
        return [_problem(path, "is not well-formed SVG", "svg", line, column + 1)]
    if root.tag != f"{_SVG}svg":
        return [
            _problem(path, 'is not an SVG: its first element is not <svg xmlns="http://www.w3.org/2000/svg">', "svg")
        ]
    faults = dict.fromkeys(fault for element in root.iter() for fault in _element_faults(element))
    return [_problem(path, fault, "svg") for fault in faults]


def _element_faults(element: ElementTree.Element) -> list[str]:
    name = element.tag.removeprefix(_SVG) if isinstance(element.tag, str) else ""
    local_name = name.rpartition("}")[2]
    # elements of drawing programs are data that nobody draws, but XHTML in an SVG is live in a browser
    drawn = "xhtml" in name or not name.startswith("{")
    faults = [f"has <{local_name}>, which an SVG of a package may not have"] if drawn and name not in _ELEMENTS else []
    if name == "style" and _CSS.search("".join(element.itertext())):
        faults.append("has a style that loads something from outside")
    for key, value in element.attrib.items():
        local = key.rpartition("}")[2].lower()
        if local.startswith("on"):
            faults.append(f"has the event handler {local}")
        elif local in ("href", "src", "base") and not _LINK.match(value):
            faults.append(f"has a {local} that leads outside the file")
        elif local == "attributename" and value.strip().lower().startswith(("on", "href", "xlink:href")):
            faults.append(f"animates {value.strip()}")
        elif local not in ("href", "src") and "(" in value and _CSS.search(value):
            faults.append(f"has a {local} that loads something from outside")
    return faults
