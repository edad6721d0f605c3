"""JavaScript as a syntax tree: walking it, and the few questions the rules ask of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import tree_sitter_javascript
from tree_sitter import Language, Node, Parser

_DECLARING = frozenset(
    [
        *("variable_declarator", "function_declaration", "class_declaration", "formal_parameters", "import_specifier"),
        *("import_clause", "namespace_import", "generator_function_declaration", "catch_clause", "function_expression"),
    ]
)
_PATTERNS = frozenset(
    [
        "object_pattern",
        "array_pattern",
        "assignment_pattern",
        "rest_pattern",
        "pair_pattern",
        "object_assignment_pattern",
    ]
)
_NAMES = frozenset(["identifier", "shorthand_property_identifier_pattern"])
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\})")


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_javascript.language()))


def parse(source: str) -> Node:
    """The tree of a script. Faulty parts are ERROR nodes; what compiles in the sandbox has none."""
    return _parser().parse(source.encode()).root_node


def walk(node: Node) -> Iterator[Node]:
    """Every node below and including this one, in the order of the text."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        waiting.extend(reversed(one.children))


def text_of(node: Node | None) -> str:
    """The source of a node, "" for none."""
    return node.text.decode(errors="replace") if node is not None and node.text is not None else ""


def place(node: Node) -> tuple[int, int]:
    """(line, column) of where a node begins, from 1; columns count bytes."""
    return node.start_point[0] + 1, node.start_point[1] + 1


def literal(node: Node | None) -> str | None:
    """What a string, or the fixed start of a template string, says; None for anything else."""
    if node is None or node.type not in ("string", "template_string"):
        return None
    head = ""
    for part in node.named_children:
        if part.type == "template_substitution":
            return head + "{"
        head += text_of(part)
    return head


def fixed(node: Node | None) -> str | None:
    """The whole text an expression always gives ('ev' + 'al' is eval); None when it depends on anything."""
    if node is None:
        return None
    if node.type == "parenthesized_expression":
        return fixed(node.named_children[0]) if node.named_children else None
    if node.type == "binary_expression" and text_of(node.child_by_field_name("operator")) == "+":
        left, right = fixed(node.child_by_field_name("left")), fixed(node.child_by_field_name("right"))
        return None if left is None or right is None else left + right
    if node.type == "number":
        return text_of(node)
    if any(part.type == "template_substitution" for part in node.named_children):
        return None
    text = literal(node)
    return None if text is None else plain(text)


def plain(text: str) -> str:
    """A name or text with its escapes resolved: \\u0065val is eval."""
    return _ESCAPE.sub(lambda found: chr(min(int(found[1] or found[2] or found[3], 16), 0x10FFFF)), text)


def declared(root: Node) -> frozenset[str]:
    """Every name the script declares itself, anywhere: a parameter called fetch is not the browser's."""
    found: set[str] = set()
    for node in walk(root):
        if node.type == "arrow_function" and (one := node.child_by_field_name("parameter")) is not None:
            found.add(text_of(one))
        if node.type == "for_in_statement" and node.child_by_field_name("kind") is not None:
            found.update(_bound(node.child_by_field_name("left")))
        if node.type not in _DECLARING:
            continue
        parts = [node.child_by_field_name("name"), node.child_by_field_name("parameter")]
        if node.type in ("formal_parameters", "import_clause", "namespace_import", "import_specifier"):
            parts += node.named_children
        for part in parts:
            found.update(_bound(part))
    return frozenset(found)


def _bound(node: Node | None) -> Iterator[str]:
    if node is None:
        return
    if node.type in _NAMES:
        yield text_of(node)
    elif node.type in _PATTERNS:
        for child in node.named_children:
            yield from _bound(child)


def member_path(node: Node | None) -> str:
    """`window.localStorage` of a member access by names or fixed texts; "" when a part is computed."""
    if node is None:
        return ""
    if node.type in ("identifier", "this"):
        return plain(text_of(node))
    if node.type == "member_expression":
        head = member_path(node.child_by_field_name("object"))
        return f"{head}.{plain(text_of(node.child_by_field_name('property')))}" if head else ""
    if node.type == "subscript_expression":
        head, key = member_path(node.child_by_field_name("object")), fixed(node.child_by_field_name("index"))
        return f"{head}.{key}" if head and key else ""
    return ""
