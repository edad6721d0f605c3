"""Checked formulas as JSON, so that a layout carries what a generated column computes without carrying SQL."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from app.modules.expressions import Formula
from app.modules.expressions.tree import Apply, Constant, Field, Node
from app.modules.kinds import Kind


def to_json(formula: Formula) -> dict[str, Any]:
    """{"kind": …, "root": tree}; decimals are texts."""
    return {"kind": str(formula.kind), "root": _node_to_json(formula.root)}


def from_json(data: Mapping[str, Any]) -> Formula:
    """The formula of to_json()."""
    return Formula(_node(data["root"]), Kind(data["kind"]))


def with_names(data: Any, names: Mapping[str, str]) -> Any:
    """The same formula over fields of other names."""
    if isinstance(data, dict):
        return {
            key: names.get(value, value) if key == "field" else with_names(value, names) for key, value in data.items()
        }
    return [with_names(item, names) for item in data] if isinstance(data, list) else data


def _node_to_json(node: Node) -> dict[str, Any]:
    kind = {"kind": str(node.kind)} if node.kind else {}
    if isinstance(node, Field):
        return {"field": node.name, **kind}
    if isinstance(node, Constant):
        return {"value": str(node.value) if isinstance(node.value, Decimal) else node.value, **kind}
    return {"apply": node.operation, "to": [_node_to_json(one) for one in node.arguments], **kind}


def _node(data: Mapping[str, Any]) -> Node:
    kind = Kind(data["kind"]) if "kind" in data else None
    if "field" in data:
        return Field(data["field"], kind, 0)
    if "apply" in data:
        return Apply(data["apply"], tuple(_node(one) for one in data["to"]), kind, 0)
    value = data["value"]
    return Constant(Decimal(value) if kind is Kind.DECIMAL else value, kind, 0)
