"""The field types of a table, one class each, told apart by `type`."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import Discriminator, Field, StringConstraints

from app.modules.kinds import Column, Kind
from app.modules.manifest.base import Condition, Flag, Help, Label, Name, Number, Part, Whole, tag

Option = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,59}$")]
OptionColor = Literal["gray", "red", "orange", "yellow", "green", "teal", "blue", "purple", "pink"]
ValueType = Literal[
    "text", "integer", "decimal", "money", "percent", "boolean", "date", "datetime", "duration"
]  # fmt: skip


class FieldBase(Part):
    """What every field of a table may say."""

    kind: ClassVar[Kind]
    stored: ClassVar[bool] = True
    """A real column of the record's own row; formulas, rollups and refs are not."""

    label: Label | None = None
    """What people read; made from the name when absent."""
    help: Help | None = None
    """One sentence under the field in forms."""
    required: Flag = False
    """A record cannot be saved without a value."""
    unique: Flag = False
    """No two records of a site have the same value."""
    default: Any = None
    """The value of a new record that gives none."""
    search: Flag = False
    """Found by the search of lists and by `q` of the API."""
    pii: Flag = False
    """Personal data: exported and erased with its person, masked in logs."""
    private: Flag = False
    """Staff only: never in public pages or answers to publishable keys."""
    visible_if: Condition | None = None
    """Shown in forms only while the record matches."""
    was: Name | None = None
    """The field's name in the version before, so that its values are kept."""

    @property
    def column(self) -> Column:
        """The field as conditions and formulas see it."""
        return Column(self.kind)


class _Length(FieldBase):
    kind = Kind.TEXT

    min: Annotated[Whole, Field(ge=0)] | None = None
    """Fewest characters."""
    max: Annotated[Whole, Field(ge=1, le=100_000)] | None = None
    """Most characters."""


class TextField(_Length):
    """Plain text, one line unless `multiline`."""

    type: Literal["text"]
    multiline: Flag = False
    """Shown as a text area."""


class RichtextField(_Length):
    """Formatted text, kept as cleaned HTML."""

    type: Literal["richtext"]


class SlugField(_Length):
    """Lower-case words joined by hyphens, for addresses of pages."""

    type: Literal["slug"]
    from_: Name | None = Field(default=None, alias="from")
    """The text field a new record's slug is made from."""


class EmailField(FieldBase):
    """An e-mail address."""

    kind = Kind.TEXT
    type: Literal["email"]


class PhoneField(FieldBase):
    """A telephone number, kept in E.164 form."""

    kind = Kind.TEXT
    type: Literal["phone"]


class UrlField(FieldBase):
    """An http or https address."""

    kind = Kind.TEXT
    type: Literal["url"]


class IntegerField(FieldBase):
    """A whole number of 64 bits."""

    kind = Kind.INTEGER
    type: Literal["integer"]
    min: Whole | None = None
    max: Whole | None = None


class DecimalField(FieldBase):
    """An exact number with `scale` digits after the point."""

    kind = Kind.DECIMAL
    type: Literal["decimal"]
    scale: Annotated[Whole, Field(ge=0, le=10)] = 2
    min: Number | None = None
    max: Number | None = None


class MoneyField(FieldBase):
    """An amount in whole minor units (129900 is 1,299.00) of the site's currency, or of `currency`'s."""

    kind = Kind.INTEGER
    type: Literal["money"]
    min: Whole | None = None
    max: Whole | None = None
    currency: Name | None = None
    """The text or enum field of the same row that holds the ISO 4217 code."""


class PercentField(FieldBase):
    """A share in percent: 12.5 is 12.5 %."""

    kind = Kind.DECIMAL
    type: Literal["percent"]
    min: Number | None = None
    max: Number | None = None


class BooleanField(FieldBase):
    """Yes or no."""

    kind = Kind.BOOLEAN
    type: Literal["boolean"]


class DateField(FieldBase):
    """A day, as 2026-03-14."""

    kind = Kind.DATE
    type: Literal["date"]
    min: str | None = None
    max: str | None = None


class TimeField(FieldBase):
    """A time of day, as 14:30."""

    kind = Kind.TIME
    type: Literal["time"]
    min: str | None = None
    max: str | None = None


class DatetimeField(FieldBase):
    """A moment, as 2026-03-14T09:26:53Z."""

    kind = Kind.DATETIME
    type: Literal["datetime"]
    min: str | None = None
    max: str | None = None


class DurationField(FieldBase):
    """A length of time in whole seconds."""

    kind = Kind.DURATION
    type: Literal["duration"]
    min: Whole | None = None
    max: Whole | None = None


class EnumField(FieldBase):
    """One of a fixed list of options."""

    kind = Kind.TEXT
    type: Literal["enum"]
    options: Annotated[tuple[Option, ...], Field(min_length=1, max_length=100)]
    """The values, in the order people see them."""
    labels: dict[Option, Label] | None = None
    """What people read for an option; made from the option when absent."""
    colors: dict[Option, OptionColor] | None = None
    """The colour of an option's badge."""

    @property
    def column(self) -> Column:
        """A text limited to the options."""
        return Column(Kind.TEXT, self.options)


class TagsField(FieldBase):
    """A list of short texts."""

    kind = Kind.LIST
    type: Literal["tags"]
    options: Annotated[tuple[Label, ...], Field(min_length=1, max_length=200)] | None = None
    """The only tags allowed; any when absent."""
    max: Annotated[Whole, Field(ge=1, le=100)] | None = None
    """Most tags on one record."""

    @property
    def column(self) -> Column:
        """A list whose members are limited to the options, if there are any."""
        return Column(Kind.LIST, self.options or ())


class ColorField(FieldBase):
    """A colour, as #1a2b3c."""

    kind = Kind.TEXT
    type: Literal["color"]


class RatingField(FieldBase):
    """Stars, from 1 to `max`."""

    kind = Kind.INTEGER
    type: Literal["rating"]
    max: Annotated[Whole, Field(ge=2, le=10)] = 5


class AddressField(FieldBase):
    """A postal address: line1, line2, city, region, postcode, country (ISO 3166 code)."""

    kind = Kind.JSON
    type: Literal["address"]


class GeoField(FieldBase):
    """A place: lat and lng in degrees."""

    kind = Kind.JSON
    type: Literal["geo"]


_UPLOADS = {"image": "an image", "pdf": "a PDF", "document": "a document", "audio": "audio", "video": "a video"}


class _Upload(FieldBase):
    accept: Annotated[tuple[Literal["image", "pdf", "document", "audio", "video", "any"], ...], Field(min_length=1)] = (
        "any",
    )
    """The sorts of files allowed."""
    max_mb: Annotated[Whole, Field(ge=1, le=50)] = 10
    """Largest size of one file, in MiB."""

    def takes(self, family: str) -> bool:
        """Whether files of a family (image, pdf, document, audio, video) are allowed; a PDF is a document too."""
        return bool({"any", family, "document" if family == "pdf" else family} & set(self.accept))

    @property
    def wanted(self) -> str:
        """What it takes, in words: `an image or a PDF, at most 5 MiB`."""
        words = [] if "any" in self.accept else [_UPLOADS[one] for one in self.accept]
        return f"{' or '.join(words) or 'a file'}, at most {self.max_mb} MiB"


class FileField(_Upload):
    """One uploaded file."""

    kind = Kind.UUID
    type: Literal["file"]


class FilesField(_Upload):
    """Several uploaded files, in order."""

    kind = Kind.LIST
    type: Literal["files"]
    max: Annotated[Whole, Field(ge=1, le=100)] | None = None
    """Most files on one record."""


class JsonField(FieldBase):
    """Any JSON value, for functions only: it has no form input."""

    kind = Kind.JSON
    type: Literal["json"]


class HoursField(FieldBase):
    """Opening hours per weekday: {mon: [["09:00", "17:00"]]}."""

    kind = Kind.JSON
    type: Literal["hours"]


class RruleField(FieldBase):
    """A recurrence rule of RFC 5545, as FREQ=WEEKLY;BYDAY=MO."""

    kind = Kind.TEXT
    type: Literal["rrule"]


class UserField(FieldBase):
    """A member of the agency."""

    kind = Kind.UUID
    type: Literal["user"]


class RefField(FieldBase):
    """A record of another table of this module."""

    kind = Kind.UUID
    type: Literal["ref"]
    to: Name
    """The table."""
    on_delete: Literal["restrict", "cascade", "set_null"] = "restrict"
    """What happens here when the other record is deleted."""


class RefsField(FieldBase):
    """Several records of another table of this module."""

    kind = Kind.LIST
    stored = False
    type: Literal["refs"]
    to: Name
    """The table."""


class SecretField(FieldBase):
    """A text sealed at rest; written by staff, read by functions only."""

    kind = Kind.TEXT
    type: Literal["secret"]


class NumberField(FieldBase):
    """A gap-free series, given when the record is created: INV-2026-00042."""

    kind = Kind.TEXT
    type: Literal["number"]
    prefix: Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9/_.-]|\{year\}|\{month\})*$", max_length=40)] = ""
    """Put before the digits; {year} and {month} stand for the day of creation in the site's time zone."""
    digits: Annotated[Whole, Field(ge=1, le=12)] = 5
    """Digits of the counter, filled with zeros."""
    start: Annotated[Whole, Field(ge=0)] = 1
    """The first number of a series."""
    per: Literal["year", "month"] | None = None
    """Start again in every year or month; then the prefix must tell them apart."""


class FormulaField(FieldBase):
    """A value computed from other fields of the row; cannot be written."""

    kind = Kind.TEXT
    stored = False
    type: Literal["formula"]
    expr: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    """The formula, such as `amount * probability / 100`."""
    as_: ValueType | None = Field(default=None, alias="as")
    """What the result is; taken from the formula when absent."""


class RollupField(FieldBase):
    """A value computed over the records that refer to this one; cannot be written."""

    kind = Kind.DECIMAL
    stored = False
    type: Literal["rollup"]
    of: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,40}(\.[a-z][a-z0-9_]{0,40})?$")]
    """`table.field`, or `table` alone for count."""
    fn: Literal["count", "sum", "avg", "min", "max"]
    """How the values are combined."""
    where: Condition | None = None
    """Only records that match."""
    via: Name | None = None
    """The ref field of that table that points here; needed when it has several."""

    @property
    def of_table(self) -> str:
        """The table that is summed over."""
        return self.of.partition(".")[0]

    @property
    def of_field(self) -> str | None:
        """The field that is summed, or None."""
        return self.of.partition(".")[2] or None


KIND_OF_VALUE: dict[str, Kind] = {
    "text": Kind.TEXT,
    "integer": Kind.INTEGER,
    "decimal": Kind.DECIMAL,
    "money": Kind.INTEGER,
    "percent": Kind.DECIMAL,
    "boolean": Kind.BOOLEAN,
    "date": Kind.DATE,
    "datetime": Kind.DATETIME,
    "duration": Kind.DURATION,
}


def _type_of(value: Any) -> str | None:
    kind = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
    return f"\x01{kind}" if isinstance(kind, str) else None


FieldSpec: TypeAlias = Annotated[
    Annotated[TextField, tag("text")]
    | Annotated[RichtextField, tag("richtext")]
    | Annotated[SlugField, tag("slug")]
    | Annotated[EmailField, tag("email")]
    | Annotated[PhoneField, tag("phone")]
    | Annotated[UrlField, tag("url")]
    | Annotated[IntegerField, tag("integer")]
    | Annotated[DecimalField, tag("decimal")]
    | Annotated[MoneyField, tag("money")]
    | Annotated[PercentField, tag("percent")]
    | Annotated[BooleanField, tag("boolean")]
    | Annotated[DateField, tag("date")]
    | Annotated[TimeField, tag("time")]
    | Annotated[DatetimeField, tag("datetime")]
    | Annotated[DurationField, tag("duration")]
    | Annotated[EnumField, tag("enum")]
    | Annotated[TagsField, tag("tags")]
    | Annotated[ColorField, tag("color")]
    | Annotated[RatingField, tag("rating")]
    | Annotated[AddressField, tag("address")]
    | Annotated[GeoField, tag("geo")]
    | Annotated[FileField, tag("file")]
    | Annotated[FilesField, tag("files")]
    | Annotated[JsonField, tag("json")]
    | Annotated[HoursField, tag("hours")]
    | Annotated[RruleField, tag("rrule")]
    | Annotated[UserField, tag("user")]
    | Annotated[RefField, tag("ref")]
    | Annotated[RefsField, tag("refs")]
    | Annotated[SecretField, tag("secret")]
    | Annotated[NumberField, tag("number")]
    | Annotated[FormulaField, tag("formula")]
    | Annotated[RollupField, tag("rollup")],
    Discriminator(_type_of),
]
"""Any field."""
