"""Acts on tables and their fields."""

from __future__ import annotations

from app.errors import Invalid, NotFound
from app.modules.manifest.fields import FieldBase
from app.modules.naming import singular
from app.studio.builder.changes import Change, Edit, Entry, Values, names
from app.studio.builder.forms import Form, identifier, label_of, read_keys
from app.studio.builder.keys import FIELDS, field_keys
from app.studio.builder.manifesttext import at, mapping, sequence
from app.studio.builder.moves import moved_key, put
from app.studio.builder.references import Reference, references, to_field, to_table
from app.studio.builder.words import in_words

Released = Values
"""The values of the manifest released last, {} before the first release: what `was` can refer to."""


def add_table(typed: str) -> Change:
    """A table called what was typed, with one field to begin with."""

    def act(edit: Edit) -> None:
        name = identifier(typed, "name", taken=names(edit.values, "tables"))
        many = label_of(typed, name) or in_words(name)
        label = {"one": singular(many) if many.isascii() else many, "many": many}
        edit.room("tables")[name] = {
            "label": label, "title": "name", "fields": {"name": {"type": "text", "required": True, "max": 120, "search": True}},
        }  # fmt: skip
        edit.note = f"table {name} added"

    return Change(act, ())


def change_table(table: str, form: Form, released: Released) -> Change:
    """Its name, what its records are called, its title field, help, timeline and audit."""

    def act(edit: Edit) -> None:
        body = edit.mapping("tables", table)
        one, many = (" ".join(form.get(key, "").split())[:80] for key in ("one", "many"))
        if bool(one) != bool(many):
            raise Invalid.field("many" if one else "one", "Say both: what one is called, and several.")
        if (one, many) != (at(body, "label", "one") or "", at(body, "label", "many") or ""):
            put(body, "label", {"one": one, "many": many} if one else None)
        for key in ("title", "help"):
            sent = " ".join(form.get(key, "").split())
            if sent != (body.get(key) or ""):
                put(body, key, sent)
        for key in ("timeline", "audit"):
            if (key in form) != (body.get(key) is True):
                put(body, key, key in form)
        new = form.get("name", table).strip()
        edit.note = f"table {table} changed"
        if new != table:
            _rename_table(edit, table, identifier(new, "name", taken=names(edit.values, "tables")), released)

    return Change(act, (("tables", table),))


def _rename_table(edit: Edit, table: str, new: str, released: Released) -> None:
    refs = to_table(edit.values, table)
    body = edit.mapping("tables", table)
    own = _inside(edit.values, table)
    body_was = body.get("was")
    edit.rename_key(("tables", table), new)
    edit.follow([*refs, *own], table=table, field=None, new=new)
    _keep_old_name(body, str(body_was or table), new, mapping(released, "tables"))
    edit.note = f"table {table} renamed to {new}"


def _inside(values: Values, table: str) -> list[Reference]:
    """What names a table within itself: refs to its own records."""
    return [
        ref
        for ref in references(values)
        if ref.table == table and ref.field is None and ref.path[:2] == ("tables", table)
    ]


def _keep_old_name(body: Values, old: str, new: str, released: Values) -> None:
    """`was` says where the values of the last release are; a name that no release had needs none."""
    if old in released and old != new:
        body["was"] = old
    else:
        body.pop("was", None)


def delete_table(table: str) -> Change:
    """The table goes; what names it is told by the checks."""

    def act(edit: Edit) -> None:
        edit.mapping("tables", table)
        tables = edit.mapping("tables")
        del tables[table]
        edit.replace(("tables",), tables)
        edit.note = f"table {table} deleted"

    return Change(act, (("tables", table),))


def move_table(table: str, to: int) -> Change:
    """The table at another place of the list."""

    def act(edit: Edit) -> None:
        edit.mapping("tables", table)
        edit.values["tables"] = moved_key(edit.values["tables"], table, to)
        edit.note = f"table {table} moved"

    return Change(act, (("tables",),))


# -- fields


def add_field(table: str, typed: str, kind: str) -> Change:
    """A field called what was typed, at the end."""

    def act(edit: Edit) -> None:
        if kind not in FIELDS:
            raise Invalid.field("type", "Choose what the field holds.")
        body = edit.mapping("tables", table)
        name = identifier(typed, "name", taken=names(body, "fields"))
        spec: Values = {"type": kind}
        put(spec, "label", label_of(typed, name))
        others = [other for other in names(edit.values, "tables") if other != table]
        if kind in ("ref", "refs") and len(others) == 1:
            spec["to"] = others[0]
        if not isinstance(body.get("fields"), dict):
            body["fields"] = {}
        body["fields"][name] = spec
        edit.note = f"field {table}.{name} added"

    return Change(act, (("tables", table),))


def change_field(table: str, field: str, form: Form, released: Released) -> Change:
    """Whatever the form shows of a field: its name, type, and the keys it lists."""

    def act(edit: Edit) -> None:
        fields = edit.mapping("tables", table, "fields")
        if not isinstance(fields.get(field), dict):
            raise NotFound()
        spec = _with_type(fields[field], form.get("type", ""))
        fields[field] = read_keys(form, field_keys(spec.get("type")), spec)
        edit.note = f"field {table}.{field} changed"
        new = form.get("name", field).strip()
        if new != field:
            new = identifier(new, "name", taken=names(edit.values, "tables", table, "fields"))
            refs = to_field(edit.values, table, field)
            edit.rename_key(("tables", table, "fields", field), new)
            edit.follow(refs, table=table, field=field, new=new)
            body = mapping(edit.values, "tables", table, "fields", new)
            before = at(released, "tables", mapping(edit.values, "tables", table).get("was", table))
            _keep_old_name(body, str(body.get("was") or field), new, mapping(before, "fields"))
            edit.note = f"field {table}.{field} renamed to {new}"

    return Change(act, (("tables", table, "fields", field),))


def _with_type(spec: Values, kind: str) -> Values:
    """The field with another type; what the new type cannot say goes."""
    if not kind or kind == spec.get("type"):
        return dict(spec)
    if kind not in FIELDS:
        raise Invalid.field("type", "Choose what the field holds.")
    known = {key.name for key in field_keys(kind)} | {"was"} | ({"labels", "colors"} if kind == "enum" else set())
    kept = {key: value for key, value in spec.items() if key in known or key == "type"}
    if not issubclass(FIELDS[kind], FieldBase):
        return {"type": kind}
    return {**kept, "type": kind} if "type" in kept else {"type": kind, **kept}


def delete_field(table: str, field: str) -> Change:
    """The field goes; what names it is told by the checks."""

    def act(edit: Edit) -> None:
        edit.mapping("tables", table, "fields", field)
        del edit.mapping("tables", table, "fields")[field]
        edit.note = f"field {table}.{field} deleted"

    return Change(act, (("tables", table, "fields", field),))


def move_field(table: str, field: str, to: int) -> Change:
    """The field at another place of its table."""

    def act(edit: Edit) -> None:
        body = edit.mapping("tables", table)
        edit.mapping("tables", table, "fields", field)
        body["fields"] = moved_key(body["fields"], field, to)
        edit.note = f"field {table}.{field} moved"

    return Change(act, (("tables", table, "fields"),))


# -- indexes and unique


def add_key(table: str, kind: str, chosen: list[str]) -> Change:
    """Fields that are searched together (indexes), or whose values are not repeated together (unique)."""

    def act(edit: Edit) -> None:
        wanted = list(dict.fromkeys(name for name in chosen if name))
        if kind not in ("indexes", "unique") or not wanted:
            raise Invalid.field("fields", "Choose at least one field.")
        body = edit.mapping("tables", table)
        there = sequence(body, kind)
        if wanted in there:
            raise Invalid.field("fields", "These fields are there already.")
        body[kind] = [*there, wanted]
        edit.note = f"{'index' if kind == 'indexes' else 'unique fields'} of {table} added"

    return Change(act, (("tables", table),))


def remove_key(table: str, kind: str, index: int) -> Change:
    """One of these lists goes."""

    def act(edit: Edit) -> None:
        body = edit.mapping("tables", table)
        there = sequence(body, kind) if kind in ("indexes", "unique") else []
        if not 0 <= index < len(there):
            raise NotFound()
        put(body, kind, [*there[:index], *there[index + 1 :]])
        edit.note = f"{'index' if kind == 'indexes' else 'unique fields'} of {table} removed"

    entry = Entry(("tables", table, kind), index, lambda place: remove_key(table, kind, place))
    return Change(act, (("tables", table),), entry)
