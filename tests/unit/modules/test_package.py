"""Packages: what is in a good one, and what each file of a bad one is refused for."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from app.modules.manifest import Problem, load_manifest
from app.modules.package import Listing, Package, PackageInvalid, check_folder, read_folder
from app.modules.package.contents import secrets_in
from tests.unit.modules.examples import FILES, MANIFEST, SVG

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">2L", 2, 2) + b"\x08\x06\x00\x00\x00"


def svg(inside: str, attributes: str = "") -> bytes:
    return f'<svg xmlns="http://www.w3.org/2000/svg" {attributes}>{inside}</svg>'.encode()


@pytest.fixture(scope="module")
def crm() -> Package:
    return read_folder(FILES.items())


def test_a_package_holds_its_parts_ready_to_use(crm: Package) -> None:
    assert crm.manifest == load_manifest(MANIFEST)
    assert crm.manifest_text == MANIFEST
    assert crm.listing == Listing(tagline="Deals that move", tags=("sales",), support_url="https://example.com/help")
    assert crm.templates == {"contact-form.html": "<form></form>"}
    assert sorted(crm.functions) == ["capture.js", "move.js", "quote.js", "welcome.js"]
    assert crm.assets == {"css/form.css": b"form { margin: 0 }"}
    assert crm.sample == {
        "deals": [{"ref": "d1", "name": "Boat", "stage": "new", "amount": 100000}],
        "stages": [{"ref": "new", "name": "New"}, {"ref": "done", "name": "Done"}],
    }
    assert [(test.file, test.name, test.when) for test in crm.tests] == [
        ("tests/winning.yaml", "winning a deal closes it", {"update": "deals/d1", "set": {"status": "won"}})
    ]
    assert (crm.readme, crm.changelog, list(crm.locales)) == ("# CRM\n", "# 1.4.0\n", ["de"])
    assert crm.size_bytes == sum(map(len, FILES.values()))
    assert crm.warnings == ()


def test_the_digest_is_over_the_sorted_digests_of_the_files(crm: Package) -> None:
    changed = read_folder({**FILES, "README.md": b"# CRM!\n"}.items())
    renamed = read_folder({("LICENSE.md" if path == "README.md" else path): c for path, c in FILES.items()}.items())

    # (cd package && find . -type f | sed 's|^./||' | LC_ALL=C sort | xargs sha256sum | sha256sum)
    assert crm.digest == "788270d579366ac2abe887da0962ffb1a08db28d735e8d58ebdc2c23f86c8516"
    assert len({crm.digest, changed.digest, renamed.digest}) == 3


def test_files_of_a_package_cannot_be_changed(crm: Package) -> None:
    with pytest.raises(TypeError):
        crm.files["README.md"] = b""  # type: ignore[index]


REFUSED: dict[str, tuple[dict[str, bytes | None], str]] = {
    "no manifest": ({"module.yaml": None}, "module.yaml: the package has no module.yaml at its top"),
    "manifest with an error": ({"module.yaml": MANIFEST.replace("to: stages", "to: stagess").encode()},
                               'module.yaml:31: tables.deals.fields.stage.to: no table "stagess"; did you mean "stages"?'),
    "manifest no text": ({"module.yaml": b"\xff"}, "module.yaml: is not UTF-8 text (byte 0)"),
    "unknown folder": ({"src/app.py": b""}, "src/app.py: is in a folder a package does not have; there are "),
    "unknown file": ({"setup.py": b""}, "setup.py: has no place at the top; allowed there are "),
    "other ending": ({"assets/a.php": b""}, "assets/a.php: is of a kind assets/ does not take; it takes "),
    "no ending": ({"assets/a": b""}, "assets/a: is of a kind assets/ does not take; it takes "),
    "html asset": ({"assets/a.html": b""}, "assets/a.html: is of a kind assets/ does not take; it takes "),
    "nested template": ({"templates/mail/a.html": b""}, "templates/mail/a.html: must lie directly in templates/"),
    "text with NUL": ({"assets/a.css": b"a\n\0"}, "assets/a.css:2: has a NUL character in it"),
    "text of other encoding": ({"assets/a.css": b"\xe9"}, "assets/a.css: is not UTF-8 text (byte 0)"),
    "huge text": ({"assets/a.css": b"a" * 1_000_001},
                  "assets/a.css: has 1000001 bytes; a text file has at most 1000000"),
    "png that is none": ({"assets/a.png": b"<script>"}, "assets/a.png: is not a png file, whatever its name says"),
    "jpg that is png": ({"assets/a.jpg": PNG}, "assets/a.jpg: is not a jpg file, whatever its name says"),
    "font that is none": ({"assets/a.woff2": b"wOFF"}, "assets/a.woff2: is not a woff2 file, whatever its name says"),
    "png with a zip": ({"assets/a.png": PNG + b"PK\x05\x06" + bytes(18)}, "assets/a.png: has a zip archive hidden in it"),
    "png of 10 Gpx": ({"assets/a.png": PNG[:16] + struct.pack(">2L", 100_000, 100_000)},
                      "assets/a.png: has 100000 x 100000 pixels; at most 40000000 in all"),
    "gif of 4 Gpx": ({"assets/a.gif": b"GIF89a" + struct.pack("<2H", 65535, 65535)},
                     "assets/a.gif: has 65535 x 65535 pixels; at most 40000000 in all"),
    "jpg of 4 Gpx": ({"assets/a.jpg": b"\xff\xd8\xff\xe0\0\4ab\xff\xc0\0\x11\x08" + struct.pack(">2H", 65000, 65000)},
                     "assets/a.jpg: has 65000 x 65000 pixels; at most 40000000 in all"),
    "missing template": ({"templates/contact-form.html": None},
                         'module.yaml: pages.contact-form.template: no file "templates/contact-form.html" in the package'),
    "missing function": ({"functions/capture.js": None, "functions/captur.js": b""},
                         'module.yaml: functions.capture.file: no file "functions/capture.js" in the package; '
                         'did you mean "functions/captur.js"?'),
    "missing icon": ({"icon.svg": None}, 'module.yaml: icon: no file "icon.svg" in the package'),
    "sample of no table": ({"sample/dealz.yaml": b"- {name: a}"},
                           'sample/dealz.yaml:1: no table "dealz"; did you mean "deals"?'),
    "sample of no field": ({"sample/deals.yaml": b"- {name: a}\n- {nme: b}"},
                           'sample/deals.yaml:2: 1.nme: no field "nme" in deals; did you mean "name"?'),
    "sample of no list": ({"sample/deals.yaml": b"deals: 3"},
                          "sample/deals.yaml:1: deals: must be a list of records: [{field: value}]"),
    "sample no yaml": ({"sample/deals.yaml": b"["}, "sample/deals.yaml:1: not valid YAML: "),
    "csv of no field": ({"sample/stages.csv": b"nme\na\n"},
                        'sample/stages.csv: 0.nme: no field "nme" in stages; did you mean "name"?'),
    "ragged csv": ({"sample/stages.csv": b"name\na,b\n"},
                   "sample/stages.csv: has a row with more or fewer values than the first line has names"),
    "test of no table": ({"tests/a.yaml": b"- {name: a, when: {update: dels/d1}, then: {deals/d1: {}}}"},
                         'tests/a.yaml:1: 0.when.update: no table "dels"; did you mean "deals"?'),
    "test of no function": ({"tests/a.yaml": b"- {name: a, when: {call: captur}, then: {answer: {}}}"},
                            'tests/a.yaml:1: 0.when.call: no function "captur"; did you mean "capture"?'),
    "test of no action": ({"tests/a.yaml": b"- {name: a, when: {do: it}, then: {events: []}}"},
                          "tests/a.yaml:1: 0.when: needs one of create, update, delete, call, submit, emit"),
    "test of no setting": ({"tests/a.yaml": b"- {name: a, settings: {depsit: 1}, when: {call: capture}, then: {invalid: name}}"},
                           'tests/a.yaml:1: 0.settings.depsit: no setting "depsit"; did you mean "deposit"?'),
    "test of no name": ({"tests/a.yaml": b"- {when: {call: capture}, then: {}}"}, "tests/a.yaml:1: 0: needs a name"),
    "test that expects nothing real": ({"tests/a.yaml": b"- {name: a, when: {call: capture}, then: {evnts: []}}"},
                                       'tests/a.yaml:1: 0.then.evnts: no table "evnts"'),
    "tests no list": ({"tests/a.yaml": b"name: a"}, "tests/a.yaml:1: must be a list of tests: - name: …"),
    "locale not declared": ({"locales/fr.json": b"{}"}, 'locales/fr.json: the language "fr" is not in locales'),
    "locale no json": ({"locales/de.json": b"{"}, "locales/de.json: is not JSON"),
    "locale nested": ({"locales/de.json": b'{"a": {"b": "c"}}'}, "locales/de.json: must be one JSON object of texts"),
    "listing unknown key": ({"listing.yaml": b"taglin: x"},
                            'listing.yaml:1: taglin: unknown key "taglin"; did you mean "tagline"?'),
    "listing link": ({"listing.yaml": b"support_url: 'javascript:alert(1)'"},
                     'listing.yaml:1: support_url: "javascript:alert(1)" is not allowed: '
                     "write a whole address that starts with https://"),
    "listing screenshot": ({"listing.yaml": b"screenshots: [a.png]"},
                           'listing.yaml: screenshots.0: no file "a.png" in screenshots/'),
    "secret in a function": ({"functions/capture.js": b"//\nconst k = 'AKIA" + b"IOSFODNN7EXAMPLE'"},
                             "functions/capture.js:2: holds what looks like an AWS access key; remove it, "
                             "replace the key at its maker, use a secret setting"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_a_bad_file_is_named_with_its_line_and_the_fix(kind: str) -> None:
    changes, expected = REFUSED[kind]
    files = {path: content for path, content in {**FILES, **changes}.items() if content is not None}

    with pytest.raises(PackageInvalid) as refused:
        read_folder(files.items())

    problems = [problem for problem in refused.value.problems if problem.severity == "error"]
    assert [str(problem)[: len(expected)] for problem in problems] == [expected]


UNSAFE_SVG: dict[str, tuple[bytes, str]] = {
    "script": (svg("<script>alert(1)</script>"), "has <script>, which an SVG of a package may not have"),
    "handler": (svg("", 'onload="alert(1)"'), "has the event handler onload"),
    "handler on a shape": (svg('<path OnClick="x"/>'), "has the event handler onclick"),
    "foreign object": (svg("<foreignObject/>"), "has <foreignObject>, which an SVG of a package may not have"),
    "xhtml": (svg('<script xmlns="http://www.w3.org/1999/xhtml"/>'), "has <script>, which an SVG of a package may not have"),
    "frame": (svg("<iframe/>"), "has <iframe>, which an SVG of a package may not have"),
    "link": (svg('<a href="https://example.com"/>'), "has <a>, which an SVG of a package may not have"),
    "outside image": (svg('<image href="https://example.com/a.png"/>'), "has a href that leads outside the file"),
    "outside use": (svg('<use xlink:href="//e.com/a.svg#x" xmlns:xlink="http://www.w3.org/1999/xlink"/>'),
                    "has a href that leads outside the file"),
    "javascript": (svg('<use href=" javascript:alert(1)"/>'), "has a href that leads outside the file"),
    "svg in data": (svg('<image href="data:image/svg+xml;base64,AAAA"/>'), "has a href that leads outside the file"),
    "style import": (svg("<style>@import 'https://e.com/a.css'</style>"), "has a style that loads something from outside"),
    "style url": (svg("<style>path { fill: url(https://e.com/a) }</style>"), "has a style that loads something from outside"),
    "style escape": (svg(r"<style>path { fill: u\72l(//e.com) }</style>"), "has a style that loads something from outside"),
    "attribute url": (svg('<path fill="url(https://e.com/a#b)"/>'), "has a fill that loads something from outside"),
    "animated link": (svg('<animate attributeName="href"/>'), "animates href"),
    "set": (svg('<set attributeName="onload"/>'), "has <set>, which an SVG of a package may not have"),
    "doctype": (b'<!DOCTYPE svg [<!ENTITY a "b">]>' + SVG.encode(),
                "has a DOCTYPE, entity or processing instruction; remove it"),
    "stylesheet": (b'<?xml-stylesheet href="//e.com/a.css"?>' + SVG.encode(),
                   "has a DOCTYPE, entity or processing instruction; remove it"),
    "encoding": (b'<?xml version="1.0" encoding="UTF-7"?>' + SVG.encode(), "is an SVG in another encoding than UTF-8"),
    "html": (b"<html><body/></html>", "is not an SVG: its first element is not "),
    "not well-formed": (b"<svg>", "is not well-formed SVG"),
}  # fmt: skip


@pytest.mark.parametrize("kind", UNSAFE_SVG)
def test_an_svg_that_could_act_or_load_is_refused(kind: str) -> None:
    content, expected = UNSAFE_SVG[kind]

    problems = check_folder({**FILES, "assets/a.svg": content}.items()).problems

    found = next(problem for problem in problems if problem.code == "svg")
    assert (found.file, found.message[: len(expected)]) == ("assets/a.svg", expected)


@pytest.mark.parametrize(
    "content",
    [
        SVG.encode(),
        b'<?xml version="1.0" encoding="utf-8"?>\n<!-- drawn -->' + SVG.encode(),
        svg('<defs><linearGradient id="g"><stop offset="0"/></linearGradient></defs><path fill="url(#g)"/>'),
        svg('<style>path { fill: url("#g") }</style><use href="#a"/><path transform="rotate(5)"/>'),
        svg('<image href="data:image/png;base64,AAAA"/>'),
        svg('<sodipodi:namedview xmlns:sodipodi="http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd" id="a"/>'),
    ],
    ids=["plain", "declared", "gradient", "style", "embedded image", "editor data"],
)
def test_a_drawing_is_a_drawing(content: bytes) -> None:
    assert check_folder({**FILES, "assets/a.svg": content}.items()).problems == []


SECRETS = {
    "a private key": "-----BEGIN RSA PRIVATE " + "KEY-----",
    "an AWS access key": "AKIA" + "IOSFODNN7EXAMPLE",
    "a GitHub token": "ghp_" + "a1" * 18,
    "a GitLab token": "glpat-" + "a1" * 10,
    "a Slack token": "xoxb-" + "1234567890-abcdefghij",
    "a Stripe live key": "sk_live_" + "a1" * 12,
    "a Google API key": "AIza" + "a" * 35,
    "a key of an AI provider": "sk-ant-" + "a1" * 20,
    "a SendGrid key": "SG." + "a" * 22 + "." + "b" * 43,
    "an npm token": "npm_" + "a1" * 18,
    "a PyPI token": "pypi-AgEIcHlwaS5vcmc" + "a" * 60,
    "a webhook secret": "whsec_" + "a" * 32,
    "a secret Dramac key": "dmc_sk_" + "a" * 24,
}


@pytest.mark.parametrize("what", SECRETS)
def test_a_secret_of_a_known_format_is_found_and_not_repeated(what: str) -> None:
    problems = secrets_in("functions/a.js", f"// first\nconst key = '{SECRETS[what]}'\n")

    assert [(problem.line, problem.column, problem.code) for problem in problems] == [(2, 14, "secret")]
    assert f"holds what looks like {what};" in problems[0].message
    assert SECRETS[what] not in str(problems[0])


def test_ordinary_words_and_digests_are_no_secrets() -> None:
    text = "sk_test_4eC39HqLyjWDarjtT1zdp7dc ghp_short 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

    assert secrets_in("a.js", text) == []


def test_files_that_nothing_uses_and_leftovers_are_warnings() -> None:
    extra = {
        "functions/old.js": b"x",
        "templates/old.html": b"x",
        "__MACOSX/._README.md": b"x",
        "assets/.DS_Store": b"x",
    }

    package = read_folder({**FILES, **extra}.items())

    assert [(problem.file, problem.code) for problem in package.warnings] == [
        ("__MACOSX/._README.md", "junk"),
        ("assets/.DS_Store", "junk"),
        ("functions/old.js", "unused"),
        ("templates/old.html", "unused"),
    ]
    assert sorted(set(package.files) - set(FILES)) == ["functions/old.js", "templates/old.html"]


def test_sources_are_shown_to_the_checker_that_the_caller_brings() -> None:
    seen: dict[str, str] = {}

    def check(path: str, text: str) -> list[Problem]:
        seen[path] = text
        return [Problem("", "does not parse", 3, 1, "syntax", file=path)] if path == "functions/move.js" else []

    checked = check_folder(FILES.items(), check_source=check)

    assert [str(problem) for problem in checked.problems] == ["functions/move.js:3: does not parse"]
    assert seen == {path: content.decode() for path, content in FILES.items() if path.endswith((".js", ".html"))}


def test_the_error_of_a_package_says_the_first_problem_and_how_many_more() -> None:
    files: dict[str, Any] = {**FILES, "setup.py": b"", "assets/a.png": b""}

    with pytest.raises(PackageInvalid) as refused:
        read_folder(files.items())

    assert str(refused.value).startswith("setup.py: has no place at the top; allowed there are module.yaml")
    assert str(refused.value).endswith("(and 1 more)")
    assert [error.pointer for error in refused.value.errors] == ["/setup.py", "/assets/a.png"]
