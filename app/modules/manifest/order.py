"""Keeps the order of mappings through jsonb, which sorts keys by length and then by bytes."""

from __future__ import annotations

from typing import Any

ORDER_KEY = "$order"


def with_order(data: dict[str, Any]) -> dict[str, Any]:
    """`data` and one more key, `$order`: {"tables/deals/fields": [names in order]} where jsonb would change it."""
    orders: dict[str, list[str]] = {}
    _collect(data, "", orders)
    return {**data, ORDER_KEY: orders} if orders else data


def put_back_order(data: dict[str, Any]) -> dict[str, Any]:
    """What with_order was given, with every mapping in its order again."""
    plain = {key: value for key, value in data.items() if key != ORDER_KEY}
    restored = _restore(plain, "", data.get(ORDER_KEY, {}))
    assert isinstance(restored, dict)
    return restored


def _collect(value: Any, path: str, orders: dict[str, list[str]]) -> None:
    if isinstance(value, dict):
        keys = list(value)
        if keys != sorted(keys, key=lambda key: (len(key.encode()), key.encode())):
            orders[path] = keys
        for key, child in value.items():
            _collect(child, f"{path}/{key}", orders)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            _collect(child, f"{path}/{index}", orders)


def _restore(value: Any, path: str, orders: dict[str, list[str]]) -> Any:
    if isinstance(value, dict):
        keys = orders.get(path, list(value))
        return {key: _restore(value[key], f"{path}/{key}", orders) for key in keys}
    if isinstance(value, list):
        return [_restore(child, f"{path}/{index}", orders) for index, child in enumerate(value)]
    return value
