"""Which operation a symbol or function stands for, given the kinds of its arguments, and the kind of the result."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import NoReturn

from app.modules.expressions.tree import Apply, Constant, FormulaInvalid, Node, fields_in
from app.modules.kinds import NUMBERS, Kind

_COMPARABLE = frozenset({Kind.TEXT, Kind.DATE, Kind.TIME, Kind.DATETIME, Kind.DURATION, *NUMBERS})
_EQUATABLE = _COMPARABLE | {Kind.BOOLEAN, Kind.UUID}
_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}
_ARITHMETIC = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "%": "modulo"}


def binary(symbol: str, left: Node, right: Node, at: int) -> Node:
    """Left, symbol, right. Raises FormulaInvalid when the kinds do not go together."""
    if symbol in ("and", "or"):
        return Apply(symbol, (truth(left), truth(right)), Kind.BOOLEAN, at)
    if symbol == "||":
        for side in (left, right):
            _demand(side, {Kind.TEXT}, "|| joins texts")
        return Apply("join", (left, right), Kind.TEXT, at)
    if symbol in _ARITHMETIC:
        return _arithmetic(symbol, left, right, at)
    return _comparison("<>" if symbol == "!=" else symbol, left, right, at)


def truth(node: Node) -> Node:
    """The node, which must be true or false."""
    _demand(node, {Kind.BOOLEAN}, "a condition is needed")
    return node


def negation(node: Node, at: int) -> Node:
    """not …"""
    return Apply("not", (truth(node),), Kind.BOOLEAN, at)


def minus(node: Node, at: int) -> Node:
    """- …"""
    _demand(node, NUMBERS | {Kind.DURATION}, "- needs a number")
    return Apply("negate", (node,), node.kind, at)


def case(parts: tuple[Node, ...], at: int) -> Node:
    """when, then, …, else: all results of one kind."""
    for test in parts[:-1:2]:
        if not fields_in(test):
            _refuse("this is always the same; a case needs a field", test.at)
    results = (*parts[1:-1:2], parts[-1])
    return Apply("case", parts, _common(results, "the results of case"), at)


def _arithmetic(symbol: str, left: Node, right: Node, at: int) -> Node:
    found = _TIME_ARITHMETIC.get((left.kind, symbol, right.kind))
    if found:
        return Apply(found[0], (left, right), found[1], at)
    for side in (left, right):
        _demand(side, NUMBERS, f"{symbol} needs numbers")
    whole = left.kind is right.kind is Kind.INTEGER and symbol != "/"
    return Apply(_ARITHMETIC[symbol], (left, right), Kind.INTEGER if whole else Kind.DECIMAL, at)


_TIME_ARITHMETIC: dict[tuple[Kind | None, str, Kind | None], tuple[str, Kind]] = {
    (Kind.DATE, "+", Kind.INTEGER): ("date + days", Kind.DATE),
    (Kind.DATE, "-", Kind.INTEGER): ("date - days", Kind.DATE),
    (Kind.DATE, "-", Kind.DATE): ("date - date", Kind.INTEGER),
    (Kind.DATETIME, "+", Kind.DURATION): ("moment + duration", Kind.DATETIME),
    (Kind.DATETIME, "-", Kind.DURATION): ("moment - duration", Kind.DATETIME),
    (Kind.DATETIME, "-", Kind.DATETIME): ("moment - moment", Kind.DURATION),
    (Kind.DURATION, "+", Kind.DURATION): ("add", Kind.DURATION),
    (Kind.DURATION, "-", Kind.DURATION): ("subtract", Kind.DURATION),
    (Kind.DURATION, "*", Kind.INTEGER): ("multiply", Kind.DURATION),
    (Kind.INTEGER, "*", Kind.DURATION): ("multiply", Kind.DURATION),
    (Kind.DURATION, "/", Kind.DURATION): ("divide", Kind.DECIMAL),
}


def _comparison(symbol: str, left: Node, right: Node, at: int) -> Node:
    for side in (left, right):
        if side.kind is None:
            raise FormulaInvalid("nothing equals null; write: is null", side.at)
    equality = symbol in ("=", "<>")
    allowed = _EQUATABLE if equality else _COMPARABLE
    if left.kind not in allowed or not _same(left.kind, right.kind):
        _refuse(f"{left.kind} and {right.kind} cannot be compared with {symbol}", at)
    text = left.kind is Kind.TEXT and not equality
    return Apply(f"text {symbol}" if text else symbol, (left, right), Kind.BOOLEAN, at)


def call(name: str, arguments: tuple[Node, ...], at: int) -> Node:
    """A function and its arguments."""
    if name not in FUNCTIONS:
        near = difflib.get_close_matches(name, FUNCTIONS, n=1)
        hint = f'; did you mean "{near[0]}"?' if near else f"; there are {', '.join(sorted(FUNCTIONS))}"
        _refuse(f'no function "{name}"{hint}', at)
    fewest, most, build = FUNCTIONS[name]
    if not fewest <= len(arguments) <= most:
        count = str(fewest) if fewest == most else f"{fewest} to {most}"
        _refuse(f"{name} takes {count} argument{'' if count == '1' else 's'}, not {len(arguments)}", at)
    return build(name, arguments, at)


_Build = Callable[[str, tuple[Node, ...], int], Node]


def _of(allowed: frozenset[Kind], result: Kind | None = None) -> _Build:
    """A function of one argument; `result` None is the argument's own kind."""

    def build(name: str, arguments: tuple[Node, ...], at: int) -> Node:
        _demand(arguments[0], allowed, f"{name} needs {' or '.join(sorted(allowed))}")
        return Apply(name, arguments, result or arguments[0].kind, at)

    return build


def _alike(allowed: frozenset[Kind]) -> _Build:
    def build(name: str, arguments: tuple[Node, ...], at: int) -> Node:
        kind = _common(arguments, f"the arguments of {name}")
        for argument in arguments[:-1] if name == "coalesce" else ():
            if not fields_in(argument) and argument.kind is not None:
                _refuse("coalesce never gets past a value that is always the same; put it last", argument.at)
        for argument in arguments:
            if argument.kind is None:
                _refuse(f"null has no place in {name}", argument.at)
            _demand(argument, allowed, f"{name} needs {' or '.join(sorted(allowed))}")
        return Apply(name, arguments, kind, at)

    return build


def _round(name: str, arguments: tuple[Node, ...], at: int) -> Node:
    _demand(arguments[0], NUMBERS, "round needs a number")
    if len(arguments) == 1:
        return Apply("round", arguments, Kind.INTEGER, at)
    digits = arguments[1]
    if not (isinstance(digits, Constant) and digits.kind is Kind.INTEGER and 0 <= int(digits.value or 0) <= 10):
        _refuse("round takes 0 to 10 digits, written as a number", digits.at)
    return Apply("round to", arguments, Kind.DECIMAL, at)


def _texts(name: str, arguments: tuple[Node, ...], at: int) -> Node:
    for argument in arguments:
        _demand(argument, {Kind.TEXT}, f"{name} needs text")
    return Apply(name, arguments, Kind.TEXT, at)


def _duration(name: str, arguments: tuple[Node, ...], at: int) -> Node:
    _demand(arguments[0], {Kind.INTEGER}, f"{name} needs integer")
    seconds = Constant(_SECONDS[name], Kind.INTEGER, at)
    return Apply("multiply", (arguments[0], seconds), Kind.DURATION, at)


def _in_unit(name: str, arguments: tuple[Node, ...], at: int) -> Node:
    _demand(arguments[0], {Kind.DURATION}, f"{name} needs duration")
    seconds = Constant(_SECONDS[name.removeprefix("in_")], Kind.INTEGER, at)
    return Apply("divide", (arguments[0], seconds), Kind.DECIMAL, at)


def _date(name: str, arguments: tuple[Node, ...], at: int) -> Node:
    _demand(arguments[0], {Kind.DATETIME}, "date needs datetime")
    return Apply("date of moment", arguments, Kind.DATE, at)


def _date_part(name: str, arguments: tuple[Node, ...], at: int) -> Node:
    day = arguments[0]
    if day.kind is Kind.DATETIME:
        day = _date("date", arguments, at)
    _demand(day, {Kind.DATE}, f"{name} needs date or datetime")
    return Apply(name, (day,), Kind.INTEGER, at)


_TEXT = frozenset({Kind.TEXT})
_SIZED = NUMBERS | {Kind.DATE, Kind.DATETIME, Kind.DURATION}
FUNCTIONS: dict[str, tuple[int, int, _Build]] = {
    "abs": (1, 1, _of(NUMBERS | {Kind.DURATION})),
    "ceil": (1, 1, _of(NUMBERS, Kind.INTEGER)),
    "floor": (1, 1, _of(NUMBERS, Kind.INTEGER)),
    "round": (1, 2, _round),
    "least": (2, 10, _alike(_SIZED)),
    "greatest": (2, 10, _alike(_SIZED)),
    "coalesce": (2, 10, _alike(_EQUATABLE)),
    "nullif": (2, 2, _alike(_EQUATABLE)),
    "lower": (1, 1, _of(_TEXT)),
    "upper": (1, 1, _of(_TEXT)),
    "trim": (1, 1, _of(_TEXT)),
    "length": (1, 1, _of(_TEXT, Kind.INTEGER)),
    "concat": (2, 20, _texts),
    "text": (1, 1, _of(frozenset({Kind.INTEGER}), Kind.TEXT)),
    "date": (1, 1, _date),
    **dict.fromkeys(("year", "month", "day", "weekday"), (1, 1, _date_part)),
    **dict.fromkeys(_SECONDS, (1, 1, _duration)),
    **{f"in_{name}": (1, 1, _in_unit) for name in ("minutes", "hours", "days")},
}


def _same(left: Kind | None, right: Kind | None) -> bool:
    return left is right or (left in NUMBERS and right in NUMBERS)


def _common(nodes: tuple[Node, ...], what: str) -> Kind | None:
    """The one kind of several nodes, null aside; whole and decimal numbers together are decimal."""
    kinds = [node.kind for node in nodes if node.kind is not None]
    if not kinds:
        return None
    for node in nodes:
        if node.kind is not None and not _same(kinds[0], node.kind):
            _refuse(f"{what} are {kinds[0]} and {node.kind}; they must be of one kind", node.at)
    return Kind.DECIMAL if Kind.DECIMAL in kinds else kinds[0]


def _demand(node: Node, allowed: frozenset[Kind] | set[Kind], wanted: str) -> None:
    if node.kind is None:
        _refuse(f"{wanted}; null is only for the results of case", node.at)
    if node.kind not in allowed:
        _refuse(f"{wanted}; this is {node.kind}", node.at)


def _refuse(message: str, at: int) -> NoReturn:
    raise FormulaInvalid(message, at)
