"""The form of a record: what its controls hold, what was sent, what is wrong, what changed meanwhile."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from werkzeug.datastructures import FileStorage, MultiDict

from app.errors import AppError, Invalid
from app.modules.conditions import Test, matches
from app.modules.kinds import Kind
from app.modules.manifest.fields import EnumField, FileField, FilesField, MoneyField, RefField, RefsField
from app.modules.values import WrongValue
from app.runtime.data.writes import facts_of
from app.runtime.files.actions import store_file
from app.runtime.files.queries import find_files
from app.runtime.query import Query
from app.runtime.validation import fields as validation
from app.runtime.validation.problems import Wrong
from app.runtime.validation.record import check_change, check_new, writable_fields
from app.workspace.cells import FileName, currency_code, title
from app.workspace.desk import Desk
from app.workspace.facets import Option, record_options, used_tags
from app.workspace.forms.controls import Chosen, Input, make_input
from app.workspace.forms.raw import Place, Raw, control_name, first, from_raw, parts_of, to_raw
from app.workspace.labels import field_label, many
from app.workspace.listing import GIVEN, PREFIX
from app.workspace.screens import form_fields

MOST_OPTIONS = 50
MOST_FILES = 20  # of one field in one go
_PREFILLED = frozenset({"enum", "boolean", "user", "ref", "refs", "date", "datetime"})
Record = Mapping[str, Any]


@dataclass
class RecordForm:
    """One form. raw: texts of the controls; before: the record as it is now, None for a new one.

    base: {field: digest of its texts when the form was shown}, which tells what the person changed.
    """

    desk: Desk
    table: str
    names: tuple[str, ...]
    raw: dict[str, list[str]]
    before: Record | None = None
    base: dict[str, str] = field(default_factory=dict)
    version: int | None = None
    errors: dict[str, list[str]] = field(default_factory=dict)
    top: list[str] = field(default_factory=list)

    # -- ways to get one

    @classmethod
    def new(cls, desk: Desk, table: str, args: MultiDict[str, str], copied: Record | None = None) -> RecordForm:
        """An empty form with the defaults, what the address names (set.<field>, f.<field>), or what another record has."""
        form = cls(desk, table, form_fields(desk, table), {})
        spec = desk.table(table)
        for name in form.names:
            one = spec.fields[name]
            value = copied.get(name) if copied is not None and not one.unique else _default(desk, one)
            form._put(name, value)
            named = args.getlist(GIVEN + name) or args.getlist(PREFIX + name)
            given = [_mine(desk, text) for text in named if text != "none"]
            if one.type in _PREFILLED and len(given) == 1:
                form.raw[name] = given if one.type != "boolean" else ["y"] * (given == ["true"])
        return form

    @classmethod
    def edit(cls, desk: Desk, table: str, record: Record) -> RecordForm:
        """The form of a record as it is."""
        form = cls(desk, table, form_fields(desk, table), {}, before=record, version=record["version"])
        for name in form.names:
            form._put(name, record.get(name))
        form.base = {name: form.digest(name) for name in form.names}
        return form

    @classmethod
    def sent(cls, desk: Desk, table: str, data: MultiDict[str, str], before: Record | None = None) -> RecordForm:
        """What a browser sent."""
        form = cls(desk, table, form_fields(desk, table), {}, before=before)
        for name in form.names:
            for key in parts_of(desk.table(table).fields[name].type, name):
                texts = [text.replace("\r\n", "\n").replace("\x00", "") for text in data.getlist(control_name(key))]
                if any(texts):
                    form.raw[key] = texts
        form.base = _base(data.get("_base", ""))
        form.version = int(data["_version"]) if data.get("_version", "").isdecimal() else None
        return form

    def receive(self, uploads: MultiDict[str, FileStorage]) -> None:
        """Keep the files that were sent with the form; one that cannot be kept is an error of its field."""
        for name in self.names:
            field = self.desk.table(self.table).fields[name]
            if not isinstance(field, (FileField, FilesField)):
                continue
            for sent in uploads.getlist(control_name(f"{name}.new"))[:MOST_FILES]:
                if not sent.filename:
                    continue
                try:
                    file = store_file(
                        self.desk.context, self.desk.data.access, sent.stream, name=sent.filename, fields=[field]
                    )
                except AppError as error:
                    self.errors.setdefault(name, []).append(f"{sent.filename}: {error.message}")
                else:
                    kept = self.raw.get(name, []) if isinstance(field, FilesField) else []
                    self.raw[name] = [*kept, str(file.id)]

    def _put(self, name: str, value: Any) -> None:
        kind = self.desk.table(self.table).fields[name].type
        self.raw |= to_raw(kind, name, value, self.place(name, self.before or {}))

    # -- reading

    def digest(self, name: str, raw: Raw | None = None) -> str:
        """A short digest of the texts of a field."""
        source = self.raw if raw is None else raw
        kind = self.desk.table(self.table).fields[name].type
        texts = [[text for text in source.get(key, []) if text] for key in parts_of(kind, name)]
        return hashlib.sha256(json.dumps(texts).encode()).hexdigest()[:12]

    @property
    def base_text(self) -> str:
        return json.dumps(self.base, separators=(",", ":"))

    def touched(self) -> tuple[str, ...]:
        """The fields the person changed; every field of a new record."""
        return tuple(name for name in self.names if self.before is None or self.base.get(name) != self.digest(name))

    def place(self, name: str, record: Record) -> Place:
        """Where the amounts and times of a field belong."""
        spec = self.desk.table(self.table).fields[name]
        site = self.desk.context.site
        currency = site.currency
        if isinstance(spec, MoneyField) and spec.currency:
            given = first(self.raw, spec.currency) or record.get(spec.currency)
            currency = currency_code(given) if given else currency
        return Place(currency, site.time_zone)

    def values(self) -> dict[str, Any]:
        """What to write: the changed fields that apply to this record. What is wrong with any stands in `errors`."""
        found: dict[str, Any] = {}
        for name in self.touched():
            if not self._writable(name):
                continue
            try:
                value = self.read(name)
            except Wrong as wrong:
                self.errors.setdefault(name, []).append(_sentence(str(wrong)))
            else:
                if value is not _KEPT:
                    found[name] = value
        found = self._applying(found)
        if self.errors:
            self._check_the_rest(found)
        return found

    def _writable(self, name: str) -> bool:
        spec = self.desk.table(self.table).fields[name]
        return not isinstance(spec, (RefField, RefsField)) or self.desk.can(spec.to, "read")

    def read(self, name: str) -> Any:
        """The value of a field as it was sent, _KEPT for a secret that stays. Raises Wrong."""
        spec = self.desk.table(self.table).fields[name]
        if spec.type == "secret":
            text = (self.raw.get(name) or [""])[0]
            return text if text else None if first(self.raw, f"{name}.clear") else _KEPT
        value = from_raw(spec.type, name, self.raw, self.place(name, self.before or {}))
        words = first(self.raw, f"{name}.find")
        if isinstance(spec, (RefField, RefsField)) and words and not value:
            found = _named(self.desk, spec.to, words)
            return found if isinstance(spec, RefField) else [found]
        return value

    def _applying(self, found: dict[str, Any]) -> dict[str, Any]:
        """Without the fields that are not shown for this record. One may depend on another that is hidden, so go round."""
        rules = self.desk.data.model.tables[self.table].rules
        while True:
            record = {**(self.before or {}), **found}
            hidden = [
                name for name in found if (shown := rules.shown.get(name)) is not None and not _holds(shown, record)
            ]
            if not hidden:
                return found
            for name in hidden:
                found.pop(name)
                self.errors.pop(name, None)

    def _check_the_rest(self, found: dict[str, Any]) -> None:
        """With something unreadable nothing is written; what else is wrong is told at the same time."""
        model, facts = self.desk.data.model.tables[self.table], facts_of(self.desk.data)
        writable = writable_fields(model.visible(self.desk.data.access))
        if self.before is None:
            checked = check_new(model.rules, found, writable, facts)
        else:
            checked = check_change(model.rules, found, self.before, writable, facts)
        told = set(self.errors)
        for error in checked.errors:
            if error.pointer.lstrip("/").partition("/")[0] not in told:
                self._take(error.pointer, error.detail)

    def take(self, error: AppError) -> None:
        """Show a refusal on the fields it names, or at the top."""
        if not isinstance(error, Invalid) or not error.errors:
            self.top.append(error.message)
            return
        for one in error.errors:
            self._take(one.pointer, one.detail)

    def _take(self, pointer: str, detail: str) -> None:
        name = pointer.lstrip("/").partition("/")[0]
        if name in self.names:
            self.errors.setdefault(name, []).append(_sentence(detail))
        else:
            label = field_label(self.desk.table(self.table), name) if name else ""
            self.top.append(f"{label}: {detail}" if label else _sentence(detail))

    # -- showing

    def inputs(self) -> list[Input]:
        """Every field, ready to be drawn."""
        return [self._input(name) for name in self.names]

    def problems(self) -> list[tuple[str | None, str]]:
        """(id of the control, message) of everything that is wrong, in the order of the form."""
        spec = self.desk.table(self.table)
        found: list[tuple[str | None, str]] = [(None, message) for message in self.top]
        for name in self.names:
            if name in self.errors:
                kind = spec.fields[name].type
                where = parts_of(kind, name)[0] if kind in ("address", "geo", "hours", "rrule") else name
                found.append((control_name(where), f"{field_label(spec, name)}: {' '.join(self.errors[name])}"))
        return found

    def _input(self, name: str) -> Input:
        spec = self.desk.table(self.table).fields[name]
        errors = tuple(self.errors.get(name, ()))
        stored = (self.before or {}).get(name)
        secret_set = spec.type == "secret" and isinstance(stored, Mapping) and bool(stored.get("set"))
        if isinstance(spec, (RefField, RefsField)) and not self.desk.can(spec.to, "read"):
            note = f"Your role does not show {many(self.desk.manifest, spec.to).lower()}."
            return Input(name=name, kind="note", label=field_label(self.desk.table(self.table), name), note=note)
        made = make_input(
            self.desk, self.table, name, self.raw, errors, self._chosen(name, spec), self.place(name, self.before or {}),
            secret_set=secret_set,
        )  # fmt: skip
        return self._only_moves(name, spec, made)

    def _only_moves(self, name: str, spec: Any, made: Input) -> Input:
        """A status offers where it may go from here."""
        states = self.desk.table(self.table).states
        if states is None or states.field != name or self.before is None or not isinstance(spec, EnumField):
            return made
        now = self.before.get(name)
        if now is None:
            return made
        allowed = {"" if not spec.required else None, now, *states.moves.get(now, ())}
        return replace(made, options=tuple(option for option in made.options if option[0] in allowed))

    def _chosen(self, name: str, spec: Any) -> Chosen:
        if spec.type == "user":
            people = [(str(one.id), one.name) for one in self.desk.colleagues.values()]
            gone = [(text, self.desk.person_name(text)) for text in self.raw.get(name, []) if _gone(self.desk, text)]
            return Chosen((*people, *gone))
        if isinstance(spec, (RefField, RefsField)):
            return chosen_records(self.desk, spec.to, self.raw.get(name, []))
        if spec.type in ("file", "files"):
            return Chosen(files=self._files(name))
        if spec.type == "tags" and not spec.options:
            return Chosen(tuple((tag, tag) for tag in used_tags(self.desk, self.table, name)))
        return Chosen()

    @property
    def takes_files(self) -> bool:
        """Whether the form has to be sent as multipart."""
        fields = self.desk.table(self.table).fields
        return any(isinstance(fields[name], (FileField, FilesField)) for name in self.names)

    def _files(self, name: str) -> tuple[FileName, ...]:
        """The files a field has: those of the record, and those just sent that wait for it to be saved."""
        ids = [UUID(text) for text in self.raw.get(name, []) if _is_uuid(text)]
        found = find_files(self.desk.data, ids)
        record_id = (self.before or {}).get("id")
        mine = self.desk.data.access.actor.ref
        return tuple(
            FileName(file.name, file.size_bytes, str(file.id), file.small)
            for file in (found[one] for one in ids if one in found)
            if str(file.record_id) == str(record_id) or (file.state == "pending" and file.created_by == mine)
        )


_KEPT = object()  # a secret that stays as it is


def chosen_records(desk: Desk, table: str, ids: Sequence[str], words: str = "") -> Chosen:
    """What a reference can be chosen from: what is chosen already, then the first 50 by title, or those that words find."""
    options, more = find_records(desk, table, words) if words else record_options(desk, table, limit=MOST_OPTIONS)
    known = dict(options)
    missing = [one for one in ids if one not in known and _is_uuid(one)]
    chosen = record_options(desk, table, ids=missing)[0] if missing else []
    return Chosen((*chosen, *options), more or bool(words))


def find_records(desk: Desk, table: str, words: str) -> tuple[list[Option], bool]:
    """Records whose title holds the words; none when titles are no texts."""
    name = desk.table(table).title_field
    if name is None or desk.data.model.tables[table].columns[name].kind is not Kind.TEXT:
        return [], False
    query = Query(where=Test(name, "contains", words[:200], Kind.TEXT), limit=MOST_OPTIONS, fields=(name,))
    page = desk.data.list(table, query)
    return [(row["id"], title(desk, table, row)) for row in page.records], page.has_more


def _named(desk: Desk, table: str, words: str) -> str:
    """The id of the one record that words name. Raises Wrong."""
    options, _ = find_records(desk, table, words)
    exact = [one for one in options if one[1].lower() == words.lower()]
    found = exact or options
    if len(found) == 1:
        return found[0][0]
    raise Wrong(f'"{words}" names {len(found)} records; be more exact' if found else f'no record is called "{words}"')


def _default(desk: Desk, spec: Any) -> Any:
    """A default as JSON would give it."""
    if spec.default is None or spec.type in validation.READ_ONLY:
        return None
    value = validation.default(spec, facts_of(desk.data))
    return value.isoformat() if hasattr(value, "isoformat") else value


def _holds(condition: Any, record: Record) -> bool:
    try:
        return matches(condition, record)
    except (WrongValue, AttributeError, TypeError):
        return True  # a value that cannot be read is told about elsewhere


def _base(text: str) -> dict[str, str]:
    try:
        found = json.loads(text) if len(text) < 20_000 else {}
    except ValueError:
        return {}
    return {key: value for key, value in found.items() if isinstance(value, str)} if isinstance(found, dict) else {}


def _mine(desk: Desk, text: str) -> str:
    return str(desk.me.id) if text == "me" else text


def _gone(desk: Desk, text: str) -> bool:
    return _is_uuid(text) and UUID(text) not in desk.colleagues


def _is_uuid(text: str) -> bool:
    try:
        return bool(UUID(text))
    except ValueError:
        return False


def _sentence(detail: str) -> str:
    """`must be a number` as "Must be a number."."""
    text = detail[:1].upper() + detail[1:]
    return text if text.endswith((".", "?", "!")) else f"{text}."
