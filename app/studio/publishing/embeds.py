"""Pages as a visitor's browser gets them in a frame: no cookie, the policy that holds them, and a structure everybody can use.

The answer is made by the runtime application itself, up to its headers (handed in by app/factory.py). What can be judged without
a browser is judged here, what needs one in accessibility.py; what the module's scripts do to a page is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import psycopg
import tinycss2
import tinycss2.color3
from selectolax.lexbor import LexborHTMLParser, LexborNode

from app.access.actors import SYSTEM, Actor
from app.errors import AppError
from app.modules.manifest import Problem
from app.runtime.acceptance.records import NoHooks, Records
from app.runtime.acceptance.scratch import scratch_install
from app.runtime.context import InstallContext
from app.runtime.data import Access, Surface
from app.runtime.pages.view import SERVED, FormState, Shown, find_page, show_page
from app.studio.publishing.accessibility import look
from app.studio.publishing.work import Outcome, Work, count

HOST = "https://host.example"


@dataclass(frozen=True, slots=True)
class Answer:
    """A page as it leaves: its headers by name (the last of each), the names of all of them, its HTML."""

    headers: dict[str, str]
    html: str


AnswerPage = Callable[[InstallContext, str, Shown, str], Answer]
_made: dict[str, AnswerPage] = {}


def configure_embeds(answer: AnswerPage) -> None:
    """Once per process: what makes the answer of a page (install, page name, what it shows, the origin that frames it)."""
    _made["answer"] = answer


def check_embeds(work: Work) -> Outcome:
    """Every page for visitors, on the sample records."""
    pages = {name: page for name, page in work.package.manifest.pages.items() if page.kind in SERVED}
    if not pages:
        return Outcome("It has no pages for visitors.")
    problems: list[Problem] = []
    answered: dict[str, tuple[str, str]] = {}
    try:
        with scratch_install(work.package, now=work.now) as scratch:
            tx = scratch.transaction(Access(Surface.SYSTEM, SYSTEM), now=work.now, hooks=NoHooks())
            Records(tx).insert_all(work.package.sample)
            for name, page in pages.items():
                shown = show_page(
                    scratch.context, find_page(scratch.context, name), given={}, visitor=Actor("visitor"),
                    form=FormState() if page.kind == "form" else None,
                    send=lambda scope, statements: scratch.connection.run(scope, *statements),
                )  # fmt: skip
                answer = _made["answer"](scratch.context, name, shown, HOST)
                answered[name] = (page.template, answer.html)
                problems += [_problem(page.template, name, *one) for one in (*_held(answer), *structure(answer.html))]
    except (psycopg.Error, AppError) as error:
        words = error.message if isinstance(error, AppError) else str(error).split("\n")[0]
        problem = Problem(
            "pages", f"a page cannot be shown: {words}", code="page", remedy="Open it in the Studio's preview."
        )
        return Outcome("A page cannot be shown.", problems=[problem])
    for path, content in work.package.assets.items():
        if path.endswith(".css"):
            problems += list(_contrasts(f"assets/{path}", content.decode(errors="replace")))
    looked = look(answered, work.package, wrong={one.path.removeprefix("pages.") for one in problems})
    problems += looked.problems
    once = list({(one.file, one.message): one for one in problems}.values())
    notes = [
        "Checked on the server: cookies, policy, names of inputs, buttons, links and pictures, headings, language, ids, "
        "contrast of colours that one rule sets together. In the browser: WCAG 2.2 A and AA by axe, drawn light and 1280 wide, "
        "without the module's scripts."
    ]
    errors = sum(one.severity == "error" for one in once)
    detail = f"{count(len(pages), 'page')} as framed by another site"
    end = f"{count(errors, 'fault')}." if errors else "no cookie, held by its policy, usable by its structure."
    return Outcome(f"{detail}: {end} {looked.sentence}", notes, once)


Finding = tuple[str, str, str]
"""(message, remedy, severity)."""


def _problem(template: str, page: str, message: str, remedy: str, severity: str) -> Problem:
    where = f"templates/{template}"
    return Problem(f"pages.{page}", message, code="page", severity=severity, file=where, remedy=remedy)  # type: ignore[arg-type]  # error or warning


def _held(answer: Answer) -> Iterator[Finding]:
    """What the headers must say, and what of the page the policy would not run."""
    ours = "This is the platform's fault: tell its support."
    if "set-cookie" in answer.headers:
        yield "sets a cookie", ours, "error"
    policy = dict(
        part.strip().partition(" ")[::2] for part in answer.headers.get("content-security-policy", "").split(";")
    )
    nonce = policy.get("script-src", "").removeprefix("'nonce-").removesuffix("'")
    if not nonce or " " in nonce or "unsafe" in str(policy):
        yield "is not held by a policy that lets only its own scripts run", ours, "error"
    if policy.get("frame-ancestors") != HOST or policy.get("object-src") != "'none'":
        yield "could be framed by anybody", ours, "error"
    tree = LexborHTMLParser(answer.html)
    for script in tree.css("script"):
        if script.attributes.get("nonce") != nonce and "json" not in (script.attributes.get("type") or ""):
            yield (
                "has a script that its policy does not run",
                'Load it from assets/ by <script src="assets/…">.',
                "error",
            )
    for node in tree.css("*"):
        if handler := next((name for name in node.attributes if name.startswith("on")), None):
            yield f"has the event handler {handler}, which its policy does not run", "Use addEventListener.", "error"


def structure(html: str) -> Iterator[Finding]:
    """What keeps people out who do not see the page, or use no mouse (WCAG 2.2, what a document alone shows)."""
    tree = LexborHTMLParser(html)
    root, title = tree.css_first("html"), tree.css_first("title")
    if root is None or not root.attributes.get("lang"):
        yield "says no language", "Give the module locales.", "error"
    if title is None or not title.text(strip=True):
        yield "has no title", "Give the page a title in the manifest.", "error"
    if any((node.attributes.get("http-equiv") or "").lower() == "refresh" for node in tree.css("meta")):
        yield "leads away or loads itself again", "Take the refresh out; link to the other page instead.", "error"
    yield from _names(tree)
    yield from _headings(tree)
    ids = [node.attributes["id"] for node in tree.css("[id]")]
    for one in dict.fromkeys(one for one in ids if ids.count(one) > 1):
        yield f'has the id "{one}" twice', "Give each element an id of its own, such as one with loop.index.", "error"
    if tree.css_first('[tabindex]:not([tabindex="0"]):not([tabindex="-1"])') is not None:
        yield "orders the focus by tabindex", "Let the order of the page be the order of the focus.", "warning"


def _names(tree: LexborHTMLParser) -> Iterator[Finding]:
    labels = {node.attributes.get("for") for node in tree.css("label[for]")}
    for node in tree.css("input, select, textarea"):
        kind = (node.attributes.get("type") or "text").lower()
        if kind in ("hidden", "submit", "button", "reset", "image") or _named(node):
            continue
        if node.attributes.get("id") not in labels and not _inside(node, "label"):
            what = node.attributes.get("name") or kind
            yield f'the input "{what}" has no label', "Put it into a <label>, or name its id in one's for.", "error"
    for node in tree.css("button, a[href]"):
        if (
            not node.text(strip=True)
            and not _named(node)
            and not any(img.attributes.get("alt") for img in node.css("img"))
        ):
            what = "button" if node.tag == "button" else "link"
            yield f"has a {what} without a name", "Give it a text, or an aria-label.", "error"
    for node in tree.css("img"):
        if "alt" not in node.attributes:
            yield "has a picture without alt", 'Say what it shows in alt, or alt="" where it only adorns.', "error"
    for node in tree.css("iframe"):
        if not node.attributes.get("title"):
            yield "has a frame without a title", "Say in title what it shows.", "error"


def _named(node: LexborNode) -> bool:
    return any((node.attributes.get(name) or "").strip() for name in ("aria-label", "aria-labelledby", "title"))


def _inside(node: LexborNode, tag: str) -> bool:
    above = node.parent
    while above is not None:
        if above.tag == tag:
            return True
        above = above.parent
    return False


def _headings(tree: LexborHTMLParser) -> Iterator[Finding]:
    levels = [int(node.tag[1]) for node in tree.css("h1, h2, h3, h4, h5, h6") if node.tag]
    if levels.count(1) > 1:
        yield "has more than one h1", "Keep one h1 for what the page is about.", "warning"
    for before, after in pairwise(levels):
        if after > before + 1:
            yield (
                f"goes from h{before} to h{after}",
                f"Use h{before + 1}, and set its size in a style sheet.",
                "warning",
            )
            return


def _contrasts(path: str, css: str) -> Iterator[Problem]:
    """Rules that set a text's colour and what is behind it, both fixed and opaque."""
    for rule in tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True):
        if rule.type != "qualified-rule":
            continue
        colors = dict(_colors(tinycss2.parse_blocks_contents(rule.content, True, True)))
        front, back = colors.get("color"), colors.get("background-color") or colors.get("background")
        if front is None or back is None:
            continue
        ratio = contrast(front, back)
        if ratio < 4.5:
            message = f"sets a text in a contrast of {ratio:.1f} to 1 to what is behind it; 4.5 are needed"
            remedy = "Make one of the two darker or lighter; large text needs 3."
            severity = "error" if ratio < 3 else "warning"
            yield Problem("", message, rule.source_line, rule.source_column, "contrast", severity, path, remedy)  # type: ignore[arg-type]  # one of the two


def _colors(declarations: Sequence[Any]) -> Iterator[tuple[str, tuple[float, float, float]]]:
    for one in declarations:
        if one.type == "declaration" and one.lower_name in ("color", "background", "background-color"):
            parts = [part for part in one.value if part.type not in ("whitespace", "comment")]
            color = tinycss2.color3.parse_color(parts[0]) if len(parts) == 1 else None
            if color is not None and color != "currentColor" and color.alpha == 1:
                yield one.lower_name, (color.red, color.green, color.blue)


def contrast(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    """The contrast ratio of two colours (WCAG 2.2), parts from 0 to 1."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: tuple[float, float, float]) -> float:
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in color]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
