"""Scripts: calls that no script of a package may make, code that cannot be read, hosts that were not declared."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from app.modules.manifest import Manifest, Problem
from app.modules.package import Package
from app.studio.publishing.rules.hosts import declared_hosts, foreign_host
from app.studio.publishing.rules.javascript import (
    declared,
    fixed,
    literal,
    member_path,
    parse,
    place,
    plain,
    text_of,
    walk,
)

CODE_FROM_TEXT = (
    "Write the code out, or choose between functions by name: code made from text cannot be read by anybody."
)
READABLE = "Put in the source as people read and change it; what is served is compressed by the platform."
_NO_CONSTRUCTOR = "Name the class you mean. Comparing constructors, or asking for constructor.name, is well."
_NAMED = "Write the name out: what a computed name leads to cannot be read by anybody."
_TIMERS = frozenset(["setTimeout", "setInterval"])
_GLOBALS = frozenset(["window", "globalThis", "self", "top", "parent", "frames"])

_SERVER = {
    **dict.fromkeys(
        ("fetch", "XMLHttpRequest", "WebSocket", "EventSource", "importScripts"),
        "Server functions reach others by ctx.http, to hosts that permissions.network names.",
    ),
    **dict.fromkeys(("require", "process", "Deno"), "There is no Node here; ctx holds all that a function may use."),
}
_NO_STORE = "Visitors are not recognised again: keep what must last in a record, by a form or a route of the module."
_CLIENT = {
    "document.cookie": _NO_STORE,
    "cookieStore": _NO_STORE,
    "localStorage": _NO_STORE,
    "sessionStorage": _NO_STORE,
    "indexedDB": _NO_STORE,
    "caches": _NO_STORE,
    "navigator.serviceWorker": "A page of a module has no worker of its own; remove it.",
    "navigator.sendBeacon": "Count visits by a route of the module, not behind the visitor's back.",
    "document.write": "Write elements with document.createElement and textContent.",
    "importScripts": CODE_FROM_TEXT,
}
TOO_LARGE = 300_000
_LONG_LINE, _LONG_TEXT, _SHORT_FILE = 1_200, 2_000, 1_500
_MANGLED = re.compile(r"\b_0x[0-9a-f]{3,}\b")
_ESCAPES = re.compile(r"\\x[0-9a-fA-F]{2}|\\u00[0-9a-fA-F]{2}")
_BASE64 = re.compile(r"[A-Za-z0-9+/=_-]+")


def script_problems(package: Package) -> list[Problem]:
    """Findings of every server function and every script of assets/."""
    found: list[Problem] = []
    for name, source in package.functions.items():
        found += _of_script(f"functions/{name}", source, package.manifest, server=True)
    for path, content in package.assets.items():
        if path.endswith((".js", ".mjs")):
            found += _of_script(f"assets/{path}", content.decode(errors="replace"), package.manifest, server=False)
    return found


def _of_script(path: str, source: str, manifest: Manifest, *, server: bool) -> list[Problem]:
    if len(source) > TOO_LARGE:
        return []  # its size refuses it
    unreadable = list(_unreadable(path, source))
    if unreadable:
        return unreadable[:1]  # whatever else is in it: first it must be readable
    root = parse(source)
    own = declared(root)
    found = [one for node in walk(root) for one in _of_node(node, own, server=server)]
    if server:
        found += _undeclared(root, declared_hosts(manifest))
    return [_at(path, *one) for one in dict.fromkeys(found)]


Finding = tuple[str, str, str, tuple[int, int]]
"""(code, message, remedy, place)."""


def _at(path: str, code: str, message: str, remedy: str, where: tuple[int, int]) -> Problem:
    return Problem("", message, where[0], where[1], code, file=path, remedy=remedy)


def _of_node(node: Node, own: frozenset[str], *, server: bool) -> Iterator[Finding]:
    if node.type in ("call_expression", "new_expression"):
        yield from _call(node, own)
    elif node.type == "with_statement":
        yield ("forbidden_call", "uses with, which hides where a name leads", "Name the object each time.", place(node))
    elif node.type == "import_statement" and (source := literal(node.child_by_field_name("source"))):
        if server or foreign_host(source):
            remedy = "Put the code into this file." if server else "Put the script into assets/ and load it from there."
            yield ("forbidden_call", f"imports {source[:80]}", remedy, place(node))
    elif node.type in ("identifier", "member_expression", "subscript_expression"):
        yield from _name(node, own, server=server)
        yield from _held(node, own)
    elif node.type in ("pair_pattern", "shorthand_property_identifier_pattern") and _key(node) == "constructor":
        yield ("forbidden_call", "takes hold of a constructor", _NO_CONSTRUCTOR, place(node))


def _call(node: Node, own: frozenset[str]) -> Iterator[Finding]:
    called = node.child_by_field_name("function") or node.child_by_field_name("constructor")
    if called is None:
        return
    if called.type == "import":
        yield (
            "forbidden_call",
            "loads code with import()",
            "Load scripts by <script src> in the template.",
            place(node),
        )
        return
    while called.type == "parenthesized_expression" and called.named_children:
        called = called.named_children[0]
    name = _without_global(member_path(called))
    if name in ("eval", "Function") and name not in own:
        yield ("forbidden_call", f"makes code from text with {name}", CODE_FROM_TEXT, place(node))
    elif _is_constructor(called):
        yield ("forbidden_call", "makes code from text through a constructor", CODE_FROM_TEXT, place(node))
    elif name in _TIMERS and name not in own:
        given = node.child_by_field_name("arguments")
        if given is not None and given.named_children and literal(given.named_children[0]) is not None:
            yield ("forbidden_call", f"gives {name} code as a text", "Give it a function.", place(node))


def _is_constructor(called: Node) -> bool:
    """x.constructor("…") and x["constructor"](…) make functions from text, by whatever x is."""
    if called.type == "member_expression":
        return plain(text_of(called.child_by_field_name("property"))) == "constructor" and not _is_this(called)
    return called.type == "subscript_expression" and fixed(called.child_by_field_name("index")) == "constructor"


def _held(node: Node, own: frozenset[str]) -> Iterator[Finding]:
    """A constructor kept, passed on or called in a roundabout way; a global by a name that is worked out."""
    if node.type == "identifier":
        return
    if _is_constructor(node) and not _is_looked_at(node):
        yield ("forbidden_call", "takes hold of a constructor", _NO_CONSTRUCTOR, place(node))
    head = member_path(node.child_by_field_name("object"))
    of_globals = head in _GLOBALS or (head.split(".")[0] in _GLOBALS and _without_global(head) in _GLOBALS)
    computed = node.type == "subscript_expression" and fixed(node.child_by_field_name("index")) is None
    if computed and of_globals and head.split(".")[0] not in own:
        yield ("forbidden_call", f"takes a global of {head} by a computed name", _NAMED, place(node))


def _is_looked_at(node: Node) -> bool:
    """Whether a constructor is only compared, asked for a part of it, or set; calls of it are told by themselves."""
    while node.parent is not None and node.parent.type == "parenthesized_expression":
        node = node.parent
    parent = node.parent
    if parent is None or parent.type == "expression_statement":
        return True
    if parent.type == "member_expression":
        return plain(text_of(parent.child_by_field_name("property"))) not in ("call", "apply", "bind")
    if parent.type == "binary_expression":
        return text_of(parent.child_by_field_name("operator")) in ("===", "!==", "==", "!=", "instanceof")
    if parent.type in ("call_expression", "new_expression"):
        # told at the call
        return node in (parent.child_by_field_name("function"), parent.child_by_field_name("constructor"))
    return parent.type == "unary_expression" or (
        parent.type == "assignment_expression" and parent.child_by_field_name("left") == node
    )


def _key(node: Node) -> str | None:
    """What a part of `const {constructor: made} = x` takes out; None for a computed one."""
    key = node.child_by_field_name("key") if node.type == "pair_pattern" else node
    if key is not None and key.type == "computed_property_name":
        return fixed(key.named_children[0]) if key.named_children else None
    return fixed(key) if key is not None and key.type == "string" else plain(text_of(key))


def _is_this(called: Node) -> bool:
    head = called.child_by_field_name("object")
    return head is not None and head.type in ("this", "super")


def _name(node: Node, own: frozenset[str], *, server: bool) -> Iterator[Finding]:
    parent = node.parent
    if parent is not None and parent.type in ("member_expression", "subscript_expression"):
        whole = member_path(parent)
        if whole and _without_global(whole) != _without_global(member_path(node)):
            if _without_global(whole) in (_SERVER if server else _CLIENT):
                return  # told once, for the longer name
            if parent.child_by_field_name("object") != node:
                return
    path = member_path(node)
    name = _without_global(path)
    table = _SERVER if server else _CLIENT
    if name in table and name.split(".")[0] not in own:
        yield ("forbidden_call", f"uses {name}", table[name], place(node))
    elif node.type == "identifier" and name in ("eval", "Function") and name not in own and not _is_called(node):
        yield ("forbidden_call", f"takes hold of {name}", CODE_FROM_TEXT, place(node))


def _is_called(node: Node) -> bool:
    parent = node.parent
    if parent is None:
        return False
    if parent.type == "binary_expression":
        return text_of(parent.child_by_field_name("operator")) == "instanceof"
    return parent.type in ("call_expression", "new_expression") and parent.child_by_field_name("arguments") != node


def _without_global(path: str) -> str:
    head, _, rest = path.partition(".")
    return _without_global(rest) if head in _GLOBALS and rest else path


def _undeclared(root: Node, hosts: frozenset[str]) -> Iterator[Finding]:
    """Fixed addresses given to ctx.http whose host was not declared: the call would be refused when it is made."""
    for node in walk(root):
        if node.type != "call_expression":
            continue
        path = member_path(node.child_by_field_name("function"))
        given = node.child_by_field_name("arguments")
        if ".http." not in f"{path}." or given is None:
            continue
        for one in given.named_children:
            host = foreign_host(literal(one) or "")
            if host and host not in hosts:
                remedy = f"Name {host} under permissions.network with a reason, or do without it."
                yield ("undeclared_host", f"calls {host}, which the manifest does not name", remedy, place(one))


def _unreadable(path: str, source: str) -> Iterator[Problem]:
    lines = source.split("\n")
    if len(set(_MANGLED.findall(source))) >= 4:
        at = next(number for number, line in enumerate(lines, 1) if _MANGLED.search(line))
        yield Problem("", "is obfuscated: its names are scrambled", at, 1, "obfuscated", file=path, remedy=READABLE)
    if re.search(r"eval\s*\(\s*function\s*\(\s*p\s*,\s*a\s*,\s*c\s*,\s*k", source):
        yield Problem("", "is packed: it unpacks itself when it runs", 1, 1, "obfuscated", file=path, remedy=READABLE)
    for number, line in enumerate(lines, 1):
        if len(_ESCAPES.findall(line)) >= 40:
            message = "writes its texts as escapes, so that nobody can read them"
            yield Problem("", message, number, 1, "obfuscated", file=path, remedy=READABLE)
        text = max((part for part in re.split(r"[\"'`]", line)), key=len)
        if len(text) >= _LONG_TEXT and _BASE64.fullmatch(text):
            remedy = "Put the data into a file of assets/, or into records."
            message = f"holds {len(text)} characters of encoded data"
            yield Problem("", message, number, 1, "obfuscated", file=path, remedy=remedy)
        elif len(source) >= _SHORT_FILE and len(line) >= _LONG_LINE and _dense(line):
            yield Problem("", "is minified", number, 1, "minified", file=path, remedy=READABLE)


def _dense(line: str) -> bool:
    """Code without blanks; a long text or a table of data has either words or few braces."""
    marks = sum(line.count(mark) for mark in "{};")
    return line.count(" ") < len(line) * 0.08 and marks > len(line) * 0.015
