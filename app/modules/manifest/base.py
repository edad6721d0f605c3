"""The base of every manifest model and the small types they share."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, Strict, StringConstraints, Tag
from pydantic_core import PydanticCustomError

# Marks the tag of a union member in pydantic's error locations. A key of a manifest cannot hold a control character.
TAG_MARK = "\x01"


def tag(name: str) -> Tag:
    """The tag of one member of a union told apart by a function; messages.py removes it from paths."""
    return Tag(TAG_MARK + name)


class Part(BaseModel):
    """Any part of a manifest: cannot be changed, knows no key it does not name."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, use_attribute_docstrings=True, protected_namespaces=()
    )


def _number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise PydanticCustomError("number_type", "must be a number")
    return value


Flag = Annotated[bool, Strict()]
Whole = Annotated[int, Strict()]
Number = Annotated[int | float, PlainValidator(_number, json_schema_input_type=float)]
"""A number as written: 3 stays an int."""
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
"""A table, field, view, function, job, role or setting."""
Label = Annotated[str, StringConstraints(min_length=1, max_length=80)]
Help = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Condition = Annotated[
    dict[str, Any],
    Field(
        description="A condition as data: {field: value}, {field: {gte: 3}}, {any: [...]}, {all: [...]}, {not: ...}."
    ),
]
