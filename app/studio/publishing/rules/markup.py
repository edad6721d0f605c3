"""Templates and style sheets: what they would load from elsewhere, and what the policy of pages would not run.

Letters and documents are left out: they are read outside a browser's policy, where styles stand in the elements.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import tinycss2

from app.modules.manifest import Problem
from app.modules.package import Package
from app.studio.publishing.rules.hosts import declared_hosts, foreign_host

_LOADS = {
    "img": ("src", "srcset"), "source": ("src", "srcset"), "video": ("src", "poster"), "audio": ("src",), "track": ("src",),
    "iframe": ("src", "srcdoc"), "embed": ("src",), "object": ("data",), "script": ("src",), "input": ("src",),
    "link": ("href",), "use": ("href", "xlink:href"), "image": ("href", "xlink:href"), "form": ("action",),
    "button": ("formaction",),
}  # fmt: skip
_TEMPLATE = re.compile(r"\{(?:%.*?%|\{.*?\}|#.*?#)\}", re.DOTALL)
_PICTURES = frozenset(["img", "source", "image"])
_DATA_SCRIPTS = frozenset(["application/ld+json", "application/json"])
OWN_COPY = "Put a copy into assets/: an address elsewhere tells its owner who looks at the page."
_NOT_RUN = "Put it into a file of assets/ and load that: the policy of pages runs nothing that stands in them."


def markup_problems(package: Package) -> list[Problem]:
    """Findings of templates that visitors get as pages, and of style sheets."""
    hosts = declared_hosts(package.manifest)
    letters = {page.template for page in package.manifest.pages.values() if page.kind in ("email", "document")}
    pages = {page.template for page in package.manifest.pages.values()} - letters
    found: list[Problem] = []
    for name, text in package.templates.items():
        if name.endswith(".html") and (name in pages or name not in letters):
            reader = _Reader(f"templates/{name}", hosts)
            reader.feed(_filled(text))
            reader.close()
            found += reader.found
    for path, content in package.assets.items():
        if path.endswith(".css"):
            found += _of_css(f"assets/{path}", content.decode(errors="replace"))
    return found


def _filled(text: str) -> str:
    """The template with what stands in {% %}, {{ }} and {# #} drawn as strokes, so that every place stays where it was.

    To a reader of HTML the words of `{% if one.id == chosen %}` inside a tag would be attributes, and one.id a handler.
    """
    return _TEMPLATE.sub(lambda found: found[0][:2] + re.sub(r"[^\n]", "_", found[0][2:-2]) + found[0][-2:], text)


class _Reader(HTMLParser):
    """Looks at start tags as they stand in the template; values in {{ }} are not judged."""

    def __init__(self, path: str, hosts: frozenset[str]) -> None:
        super().__init__(convert_charrefs=False)
        self.path, self.hosts = path, hosts
        self.found: list[Problem] = []
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # `{% if sent %}onclick=…` and `on{% if sent %}click=…` are both handlers when the page is drawn
        tag = _TEMPLATE.sub("", tag)
        given = {bare: value or "" for name, value in attrs if (bare := _TEMPLATE.sub("", name))}
        self._loads(tag, given)
        self._runs(tag, given)
        self._in_style = tag == "style"
        if tag == "meta" and "http-equiv" in given:
            self._say("policy", "has a <meta http-equiv>", "Remove it; the platform sets what a page needs.")
        if tag == "base":
            self._say("policy", "has a <base>, which the policy of pages forbids", "Remove it.")

    def handle_data(self, data: str) -> None:
        if self._in_style and data.strip():
            self._in_style = False
            self._say(
                "policy", "has a <style>, which the policy of pages ignores", "Put the rules into a file of assets/."
            )

    def _loads(self, tag: str, given: dict[str, str]) -> None:
        for name in _LOADS.get(tag, ()):
            addresses = [part.split()[0] for part in given.get(name, "").split(",") if part.split()]
            if name != "srcset":
                addresses = [given.get(name, "")]
            for address in addresses:
                host = foreign_host(address)
                if not host or (tag in _PICTURES and host in self.hosts):
                    continue
                if tag in ("form", "button"):
                    message = f"sends a form to {host}, which the policy of pages forbids"
                    remedy = "Let the form be sent to the page itself, and a function pass on what is needed."
                    self._say("foreign_address", message, remedy)
                elif tag != "link" or "canonical" not in given.get("rel", ""):
                    self._say("foreign_address", f"loads <{tag}> from {host}", OWN_COPY)

    def _runs(self, tag: str, given: dict[str, str]) -> None:
        if tag == "script" and "src" not in given and given.get("type", "").lower() not in _DATA_SCRIPTS:
            self._say("policy", "has a script in the page", _NOT_RUN)
        for name, value in given.items():
            if name.startswith("on") and len(name) > 2:
                self._say("policy", f"has the event handler {name}", "Use addEventListener in a script of assets/.")
            elif value.strip().lower().startswith("javascript:"):
                self._say("policy", f"has a {name} that is a script", "Use a <button> and a script of assets/.")
        if "style" in given:
            message = "has a style attribute, which the policy of pages ignores"
            self._say("policy", message, "Give it a class, and the class a rule in assets/.", severity="warning")

    def _say(self, code: str, message: str, remedy: str, *, severity: str = "error") -> None:
        line, column = self.getpos()
        self.found.append(
            Problem("", message, line, column + 1, code, severity, self.path, remedy)  # type: ignore[arg-type]  # one of the two
        )


def _of_css(path: str, text: str) -> list[Problem]:
    found = []
    for node in tinycss2.parse_component_value_list(text):
        for address, line, column in _addresses(node):
            if host := foreign_host(address):
                message = f"loads something from {host}"
                found.append(Problem("", message, line, column, "foreign_address", file=path, remedy=OWN_COPY))
    imports = [rule for rule in tinycss2.parse_stylesheet(text, True, True) if rule.type == "at-rule"]
    for rule in imports:
        if rule.lower_at_keyword == "import":
            address = next((part.value for part in rule.prelude if part.type in ("string", "url")), "")
            if host := foreign_host(address):
                message = f"imports a style sheet from {host}"
                place = (rule.source_line, rule.source_column)
                found.append(Problem("", message, *place, "foreign_address", file=path, remedy=OWN_COPY))
    once = {(one.line, one.column): one for one in found}
    return list(once.values())


def _addresses(node: object) -> Iterator[tuple[str, int, int]]:
    """Every url() below a node: a token of its own, or a function with a text in it."""
    kind = getattr(node, "type", "")
    if kind == "url":
        yield node.value, node.source_line, node.source_column  # type: ignore[attr-defined]  # a URLToken
    elif kind == "function" and node.lower_name in ("url", "image-set", "src"):  # type: ignore[attr-defined]  # a FunctionBlock
        for part in node.arguments:  # type: ignore[attr-defined]  # as above
            if part.type == "string":
                yield part.value, part.source_line, part.source_column
    for child in getattr(node, "content", None) or getattr(node, "arguments", None) or ():
        yield from _addresses(child)
