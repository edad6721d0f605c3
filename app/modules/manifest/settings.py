"""Settings of an install: groups of typed fields."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Discriminator, Field

from app.modules.manifest.base import Condition, Flag, Help, Label, Name, Number, Part, Whole, tag
from app.modules.manifest.fields import Option


class SettingBase(Part):
    """What every setting may say."""

    label: Label | None = None
    help: Help | None = None
    required: Flag = False
    """The install cannot be used without a value."""
    default: Any = None
    visible_if: Condition | None = None
    """Shown only while the other settings match."""
    test: Name | None = None
    """A function that tries the value out, behind a button."""
    inherit: Flag = True
    """The agency and the client may set it for their sites."""
    lock: Flag = True
    """A level above may lock it."""


class TextSetting(SettingBase):
    """A text."""

    type: Literal["text"]
    min: Annotated[Whole, Field(ge=0)] | None = None
    max: Annotated[Whole, Field(ge=1, le=10_000)] | None = None
    multiline: Flag = False


class NumberSetting(SettingBase):
    """A number."""

    type: Literal["number"]
    min: Number | None = None
    max: Number | None = None


class RangeSetting(SettingBase):
    """A number chosen with a slider."""

    type: Literal["range"]
    min: Number
    max: Number
    step: Annotated[Number, Field()] = 1
    unit: Annotated[str, Field(max_length=20)] | None = None


class BooleanSetting(SettingBase):
    """On or off."""

    type: Literal["boolean"]


class EnumSetting(SettingBase):
    """One of a list of options."""

    type: Literal["enum"]
    options: Annotated[tuple[Option, ...], Field(min_length=1, max_length=100)]
    labels: dict[Option, Label] | None = None


class ColorSetting(SettingBase):
    """A colour, as #1a2b3c."""

    type: Literal["color"]


class MoneySetting(SettingBase):
    """An amount in whole minor units of the site's currency."""

    type: Literal["money"]
    min: Whole | None = None
    max: Whole | None = None


class SecretSetting(SettingBase):
    """A key or password, sealed at rest; functions alone can read it."""

    type: Literal["secret"]


class HoursSetting(SettingBase):
    """Opening hours per weekday."""

    type: Literal["hours"]


class UserSetting(SettingBase):
    """A member of the agency."""

    type: Literal["user"]


class PageSetting(SettingBase):
    """A page of the site."""

    type: Literal["page"]


class ModuleSetting(SettingBase):
    """Another module installed on the site."""

    type: Literal["module"]


class RepeaterSetting(SettingBase):
    """A list of rows with the same fields."""

    type: Literal["repeater"]
    fields: Annotated[dict[Name, RowSpec], Field(min_length=1, max_length=12)]
    min: Annotated[Whole, Field(ge=0)] = 0
    max: Annotated[Whole, Field(ge=1, le=100)] = 20


def _type_of(value: Any) -> str | None:
    kind = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
    return f"\x01{kind}" if isinstance(kind, str) else None


RowSpec: TypeAlias = Annotated[
    Annotated[TextSetting, tag("text")]
    | Annotated[NumberSetting, tag("number")]
    | Annotated[BooleanSetting, tag("boolean")]
    | Annotated[EnumSetting, tag("enum")]
    | Annotated[ColorSetting, tag("color")]
    | Annotated[MoneySetting, tag("money")]
    | Annotated[UserSetting, tag("user")]
    | Annotated[PageSetting, tag("page")],
    Discriminator(_type_of),
]
"""A field of a repeater's row."""
SettingSpec: TypeAlias = Annotated[
    Annotated[TextSetting, tag("text")]
    | Annotated[NumberSetting, tag("number")]
    | Annotated[RangeSetting, tag("range")]
    | Annotated[BooleanSetting, tag("boolean")]
    | Annotated[EnumSetting, tag("enum")]
    | Annotated[ColorSetting, tag("color")]
    | Annotated[MoneySetting, tag("money")]
    | Annotated[SecretSetting, tag("secret")]
    | Annotated[HoursSetting, tag("hours")]
    | Annotated[UserSetting, tag("user")]
    | Annotated[PageSetting, tag("page")]
    | Annotated[ModuleSetting, tag("module")]
    | Annotated[RepeaterSetting, tag("repeater")],
    Discriminator(_type_of),
]
"""Any setting."""


class SettingsGroup(Part):
    """Settings that belong together, under one heading."""

    label: Label
    help: Help | None = None
    visible_if: Condition | None = None
    fields: Annotated[dict[Name, SettingSpec], Field(min_length=1, max_length=40)]
