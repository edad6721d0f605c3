"""Pages in a real browser, gone through by axe: what WCAG 2.2 A and AA say that only shows once a page is drawn.

The browser (app.lib.browser) gets the HTML that the runtime answered, our own and the package's style sheets and pictures, and
nothing else; no script of the module runs in it. Where there is no browser that is said, and nothing is refused for it.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from app.lib.browser import ORIGIN, BrowserFailed, Resource, browser, find_browser
from app.modules.manifest import Problem
from app.modules.package import Package
from app.studio.publishing.work import count
from app.web.assets import STATIC, asset, asset_text

NOT_LOOKED = "Accessibility was not looked at"
WITHIN_S = 60.0  # for all pages of a package
MOST_NODES = 5  # of one rule on one page that are told
GRAVE = ("serious", "critical")
# What the server's own look at the document tells in better words: not told twice of a page it has found wrong.
TOLD_BEFORE = frozenset(
    {
        "meta-refresh",
        "label",
        "select-name",
        "button-name",
        "link-name",
        "image-alt",
        "frame-title",
        "html-has-lang",
        "document-title",
    }
)
RUN = """
axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], resultTypes: ["violations"]})
  .then((found) => found.violations.filter((rule) => %s.includes(rule.impact)).map((rule) => ({
    id: rule.id, help: rule.help, nodes: rule.nodes.slice(0, %d).map((node) => ({
      where: node.target.join(" "), how: node.failureSummary}))})))
  .then((rules) => location.href === "%s/" ? rules : null)
"""


@dataclass(frozen=True, slots=True)
class Looked:
    """sentence: what was done, or why nothing was; problems: what keeps people out."""

    sentence: str
    problems: tuple[Problem, ...] = ()


def look(pages: Mapping[str, tuple[str, str]], package: Package, *, wrong: Collection[str] = ()) -> Looked:
    """pages: {name: (template, HTML as answered)}. wrong: of which of them a fault has been told already."""
    path = find_browser()
    if path is None:
        return Looked(f"{NOT_LOOKED}: no browser on this server.")
    problems: list[Problem] = []
    script = f"{_axe()};{RUN % (list(GRAVE), MOST_NODES, ORIGIN)}"
    try:
        with browser(path, within_s=WITHIN_S) as window:
            for name, (template, html) in pages.items():
                window.show(html, _given(package))
                rules = window.run(script)
                if rules is None:  # what was gone through is no longer the page
                    raise BrowserFailed(f"the page {name} went elsewhere by itself")
                for rule in rules:
                    if name in wrong and rule["id"] in TOLD_BEFORE:
                        continue
                    problems += [_problem(name, template, rule, node) for node in rule["nodes"]]
    except BrowserFailed as error:
        return Looked(f"{NOT_LOOKED}: the browser on this server failed ({error}).")
    found = count(len(problems), "fault") if problems else "no grave fault"
    return Looked(f"A browser drew {count(len(pages), 'page')}, and axe found {found}.", tuple(problems))


@cache
def _axe() -> str:
    return str(asset_text("axe.js"))


def _given(package: Package) -> Callable[[str], Resource | None]:
    """Style sheets, fonts and pictures: the package's own and those that every page has."""
    ours = {asset(name): name for name in ("widget.css",)}

    def given(path: str) -> Resource | None:
        kind = mimetypes.guess_type(path)[0] or ""
        if path in ours:
            return kind, (STATIC / path.removeprefix("/static/")).read_bytes()
        content = package.assets.get(path.removeprefix("/assets/")) if path.startswith("/assets/") else None
        return (kind, content) if content is not None and kind.startswith(("text/css", "image/", "font/")) else None

    return given


def _problem(page: str, template: str, rule: dict[str, Any], node: dict[str, Any]) -> Problem:
    """axe's summary is a line that says whether any or all of the next must be done, then these."""
    ways = [line.strip() for line in str(node["how"]).splitlines()[1:] if line.strip()]
    remedy = f"{'; or: '.join(ways[:3])}."[:400]
    message = f"{rule['help'].lower()}: {node['where'][:120]} ({rule['id']})"
    return Problem(
        f"pages.{page}", message, code="accessibility", severity="error", file=f"templates/{template}", remedy=remedy
    )
