"""Renders the templates of a module: one environment per package and kind of escaping, kept while it is used."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import minijinja

from . import values
from .filters import FilterFailed, install, plain_none

FUEL = 100_000
OUTPUT_LIMIT = 1_000_000  # bytes
KEPT = 32  # packages of which a worker keeps parsed templates
KEPT_BYTES = 8 << 20  # of their sources together
AUTOESCAPE = re.compile(r"\{%[-+]?\s*autoescape\b")
TAG = re.compile(r"\{[{%].*?[%}]\}", re.DOTALL)
LITERAL = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
FILTER = re.compile(r"\|\s*([A-Za-z_]\w*)")
NAMED = re.compile(r"""\{%[-+]?\s*(?:include|extends|import|from)\s+["']([^"']+)["']""")
CAUSE = re.compile(r"^caused by: (.*) \(in (.+):(\d+)\)$", re.MULTILINE)
WORDS = {
    "UndefinedError": "There is no such value. Give it a default: {{ value | default('') }}",
    "OutOfFuel": "The template takes too many steps.",
}


@dataclass
class Broken(Exception):
    """A template cannot be read or rendered. line and column count from 1; 0 where the engine does not say."""

    file: str
    line: int
    column: int
    message: str


class TooMuchOutput(Exception):
    """The page is longer than OUTPUT_LIMIT."""


class Package:
    """The templates of one version of a module."""

    def __init__(self, templates: Mapping[str, str]) -> None:
        self.templates = templates
        self.size = sum(map(len, templates.values()))
        self._environments: dict[bool, minijinja.Environment] = {}

    def environment(self, *, escaping: bool) -> minijinja.Environment:
        env = self._environments.get(escaping)
        if env is None:
            env = self._environments[escaping] = minijinja.Environment(
                loader=self._source,
                debug=False,
                pycompat=False,
                fuel=FUEL,
                undefined_behavior="strict",
                auto_escape_callback=lambda _name: escaping,  # of the page rendered, whatever it includes is called
                finalizer=plain_none,
                trim_blocks=True,
                lstrip_blocks=True,
            )
            install(env)
        return env

    def _source(self, name: str) -> str | None:
        source = self.templates.get(name)
        found = AUTOESCAPE.search(source) if source else None
        if source and found:
            line, column = _place(source, found.start())
            raise Broken(name, line, column, "Escaping cannot be switched off.")
        return source

    def render(self, name: str, context: dict[str, Any]) -> bytes:
        """The page as UTF-8. A name ending in .txt is plain text, everything else HTML. Raises Broken, TooMuchOutput."""
        env = self.environment(escaping=not name.endswith(".txt"))
        try:
            page = env.render_template(name, **context)
        except minijinja.TemplateError as error:
            raise self._broken(error, name) from None
        except FilterFailed as error:
            raise self._guessed(error.args[2] or name, rf"\|\s*{error.args[1]}\b", error.args[0]) from None
        except AttributeError as error:
            raise self._guessed(name, rf"\.{error.name}\s*\(", "There is no such method.") from None
        except (TypeError, ValueError, KeyError, IndexError, OverflowError, RecursionError):
            raise Broken(name, 0, 0, "The template uses a value in a way it does not allow.") from None
        if len(page) > OUTPUT_LIMIT:
            raise TooMuchOutput
        data = page.encode("utf-8", "replace")
        if len(data) > OUTPUT_LIMIT:
            raise TooMuchOutput
        return data

    def check(self, name: str) -> list[tuple[int, int, str]]:
        """Parse one template; also its filters and the templates it names have to exist."""
        env = self.environment(escaping=True)
        try:
            env.undeclared_variables_in_template(name)
        except Broken as error:
            return [(error.line, error.column, error.message)]
        except minijinja.TemplateError as error:
            broken = self._broken(error, name)
            return [(broken.line, broken.column, broken.message)]
        source = self.templates[name]
        return [(*_place(source, offset), message) for offset, message in self._missing(env, source)]

    def _missing(self, env: minijinja.Environment, source: str) -> Iterator[tuple[int, str]]:
        """Filters and templates a source names and nobody has: (offset, sentence)."""
        for tag in TAG.finditer(source):
            inside = LITERAL.sub(lambda text: "_" * len(text[0]), tag[0])  # a | in a text is no filter
            for mark in FILTER.finditer(inside):
                if not env.eval_expr(f"'{mark[1]}' is filter"):
                    yield tag.start() + mark.start(1), f"There is no filter {mark[1]}."
            named = NAMED.match(tag[0])
            if named and named[1] not in self.templates and "ignore missing" not in inside:
                yield tag.start() + named.start(1), f"There is no template {named[1]}."

    def _broken(self, error: minijinja.TemplateError, name: str) -> Broken:
        file, line, column = error.name or name, error.line or 0, 0
        source, span = self.templates.get(file), error.range
        if source and span:
            line, column = _place(source, len(source.encode()[: span[0]].decode("utf-8", "ignore")))
        message = WORDS.get(error.kind) or error.detail or error.message
        cause = CAUSE.findall(str(error))
        if cause:  # of a template it includes: the last cause is the place of the mistake
            message, file, line, column = cause[-1][0], cause[-1][1], int(cause[-1][2]), 0
            message = WORDS["UndefinedError"] if message == "undefined value" else message
        return Broken(file, line, column, str(message)[:500])

    def _guessed(self, name: str, pattern: str, message: str) -> Broken:
        """The engine loses the line when Python raises: it is where the filter or method first stands."""
        for file in (name, *self.templates):
            found = re.search(pattern, self.templates.get(file, ""))
            if found:
                line, column = _place(self.templates[file], found.start())
                return Broken(file, line, column, message)
        return Broken(name, 0, 0, message)


def _place(source: str, offset: int) -> tuple[int, int]:
    before = source[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


class Templates:
    """Packages by digest, the least used forgotten first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Package] = OrderedDict()

    def get(self, digest: str) -> Package | None:
        package = self._kept.get(digest)
        if package:
            self._kept.move_to_end(digest)
        return package

    def add(self, digest: str, templates: Mapping[str, str]) -> Package:
        package = self._kept[digest] = Package(templates)
        self._kept.move_to_end(digest)
        while len(self._kept) > 1 and (
            len(self._kept) > KEPT or sum(kept.size for kept in self._kept.values()) > KEPT_BYTES
        ):
            self._kept.popitem(last=False)
        return package


def render(package: Package, name: str, data: bytes) -> bytes:
    """data: the context as a JSON object. What a form does not hold yet is empty in it, not an error."""
    context = values.load(data)
    form = context.get("form")
    if isinstance(form, values.Record):
        context["form"] = values.with_blanks(form, ("values", "errors"))
    return package.render(name, context)
