"""Text of a formula to its typed tree: tokens, then a Pratt parser that checks types as it goes.

From loosest to tightest: or · and · not · = <> < <= > >= is in · || · + - · * / % · unary -
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from app.modules.expressions import typing_rules as rules
from app.modules.expressions.tree import (
    MAX_DEPTH,
    MAX_LENGTH,
    MAX_NODES,
    Apply,
    Constant,
    FormulaInvalid,
    Node,
    measure,
)
from app.modules.kinds import Kind

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d{1,20}(?:\.\d{1,10})?(?![\w.]))|(?P<text>'(?:[^']|'')*')"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<symbol>\|\||<>|!=|<=|>=|[-+*/%=<>(),]))"
)
_WORDS = frozenset(["or", "and", "not", "is", "null", "in", "case", "when", "then", "else", "end", "true", "false"])
_BINARY = {
    "or": 1, "and": 2, "=": 4, "<>": 4, "!=": 4, "<": 4, "<=": 4, ">": 4, ">=": 4, "is": 4, "in": 4, "not": 4,
    "||": 5, "+": 6, "-": 6, "*": 7, "/": 7, "%": 7,
}  # fmt: skip
_NOT_BINDS, _MINUS_BINDS = 3, 8


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text; `at` counts characters from 1."""

    sort: str
    text: str
    at: int


def tokens_of(text: str) -> list[Token]:
    """The tokens of a formula and an end token. Raises FormulaInvalid at the first character that starts none."""
    found, position = [], 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None:
            at = position + len(text[position:]) - len(text[position:].lstrip()) + 1
            if text[at - 1] == "'":
                raise FormulaInvalid("a text starts here and does not end; close it with '", at)
            hint = "; write texts in single quotes" if text[at - 1] == '"' else ""
            raise FormulaInvalid(f'"{text[at - 1]}" has no place in a formula{hint}', at)
        sort = match.lastgroup or ""
        value = match.group(sort)
        if sort == "name" and value.lower() in _WORDS:
            sort, value = "word", value.lower()
        found.append(Token(sort, value, match.start(match.lastgroup or 0) + 1))
        position = match.end()
    return [*found, Token("end", "", len(text.rstrip()) + 1)]


def parse(text: str, lookup: Callable[[str, int], Node]) -> Node:
    """The typed tree of a formula; `lookup(name, at)` gives the node of a field. Raises FormulaInvalid."""
    if len(text) > MAX_LENGTH:
        raise FormulaInvalid(f"the formula has more than {MAX_LENGTH} characters", 1)
    parser = _Parser(tokens_of(text), lookup)
    node = parser.expression(0)
    token = parser.peek()
    if token.sort != "end":
        raise FormulaInvalid(f'"{token.text}" is not expected here', token.at)
    if node.kind is None:
        raise FormulaInvalid("the formula is always null", node.at)
    count, depth = measure(node)
    if count > MAX_NODES or depth > MAX_DEPTH:
        raise FormulaInvalid("the formula, with the formulas it uses written out, is too long", 1)
    return node


class _Parser:
    def __init__(self, tokens: list[Token], lookup: Callable[[str, int], Node]) -> None:
        self.tokens = tokens
        self.lookup = lookup
        self.position = 0
        self.depth = 0

    def peek(self) -> Token:
        return self.tokens[self.position]

    def next(self) -> Token:
        token = self.tokens[self.position]
        self.position += token.sort != "end"
        return token

    def expect(self, text: str) -> Token:
        token = self.next()
        if token.text != text or token.sort == "text":
            found = f'"{token.text}"' if token.text else "the end"
            raise FormulaInvalid(f'"{text}" is expected here, not {found}', token.at)
        return token

    def takes(self, text: str) -> bool:
        """Takes the next token when it is this symbol or word."""
        token = self.peek()
        if token.text != text or token.sort not in ("symbol", "word"):
            return False
        self.next()
        return True

    def expression(self, binds: int) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH // 2:
            raise FormulaInvalid("the formula is nested too deeply", self.peek().at)
        left = self.prefix()
        while True:
            token = self.peek()
            power = _BINARY.get(token.text, 0) if token.sort in ("symbol", "word") else 0
            if power <= binds:
                break
            self.next()
            left = self.infix(left, token, power)
        self.depth -= 1
        return left

    def infix(self, left: Node, token: Token, power: int) -> Node:
        if token.text == "is":
            negated = self.takes("not")
            self.expect("null")
            return Apply("is not null" if negated else "is null", (left,), Kind.BOOLEAN, token.at)
        if token.text == "not":
            self.expect("in")
            return rules.negation(self.membership(left, token), token.at)
        if token.text == "in":
            return self.membership(left, token)
        right = self.expression(power)
        return rules.binary(token.text, left, right, token.at)

    def membership(self, left: Node, token: Token) -> Node:
        self.expect("(")
        items = self.arguments()
        if not items:
            raise FormulaInvalid("in needs at least one value", token.at)
        tests = [rules.binary("=", left, item, token.at) for item in items]
        return tests[0] if len(tests) == 1 else Apply("or", tuple(tests), Kind.BOOLEAN, token.at)

    def prefix(self) -> Node:
        token = self.next()
        match token.sort, token.text:
            case "number", text:
                value = Decimal(text) if "." in text else int(text)
                return Constant(value, Kind.DECIMAL if "." in text else Kind.INTEGER, token.at)
            case "text", text:
                return Constant(text[1:-1].replace("''", "'"), Kind.TEXT, token.at)
            case "word", ("true" | "false") as text:
                return Constant(text == "true", Kind.BOOLEAN, token.at)
            case "word", "null":
                return Constant(None, None, token.at)
            case "word", "not":
                return rules.negation(self.expression(_NOT_BINDS), token.at)
            case "word", "case":
                return self.case(token)
            case "symbol", "-":
                return rules.minus(self.expression(_MINUS_BINDS), token.at)
            case "symbol", "(":
                node = self.expression(0)
                self.expect(")")
                return node
            case "name", name:
                if self.takes("("):
                    return rules.call(name.lower(), self.arguments(), token.at)
                return self.lookup(name, token.at)
        if token.sort == "end":
            raise FormulaInvalid("the formula ends too early", token.at)
        raise FormulaInvalid(f'"{token.text}" is not expected here', token.at)

    def arguments(self) -> tuple[Node, ...]:
        """The arguments after "(" and the ")"."""
        if self.takes(")"):
            return ()
        found = [self.expression(0)]
        while self.takes(","):
            found.append(self.expression(0))
        self.expect(")")
        return tuple(found)

    def case(self, start: Token) -> Node:
        parts: list[Node] = []
        while self.takes("when"):
            parts.append(rules.truth(self.expression(0)))
            self.expect("then")
            parts.append(self.expression(0))
        if not parts:
            raise FormulaInvalid('"when" is expected after case', self.peek().at)
        parts.append(self.expression(0) if self.takes("else") else Constant(None, None, self.peek().at))
        self.expect("end")
        return rules.case(tuple(parts), start.at)
