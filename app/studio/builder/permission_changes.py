"""Acts on what a module asks for."""

from __future__ import annotations

from collections.abc import Callable

from app.errors import Invalid, NotFound
from app.studio.builder.changes import Change, Edit, Entry, Values
from app.studio.builder.forms import Form
from app.studio.builder.manifesttext import at, sequence
from app.studio.builder.moves import put

RIGHTS = ("read", "create", "update", "delete")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
WITHIN = (("permissions",),)


def _permissions(note: str, change: Callable[[Edit, Values], None], entry: Entry | None = None) -> Change:
    """An act on the permissions; they go when nothing is asked for any more."""

    def act(edit: Edit) -> None:
        asked = edit.room("permissions")
        change(edit, asked)
        if not asked:
            edit.values.pop("permissions")
        edit.note = note

    return Change(act, WITHIN, entry)


def _asked(kind: str, index: int, of: Callable[[int], Change]) -> Entry:
    return Entry(("permissions", kind), index, of)


def change_general(form: Form) -> Change:
    """Scopes, e-mail and personal data."""

    def change(edit: Edit, asked: Values) -> None:
        for key in ("scopes", "optional_scopes"):
            lines = [line.strip() for line in form.get(key, "").splitlines() if line.strip()]
            if lines != sequence(asked, key):
                put(asked, key, lines)
        for key in ("email", "personal_data"):
            if (key in form) != (asked.get(key) is True):
                put(asked, key, key in form)

    return _permissions("permissions changed", change)


def set_host(index: int | None, form: Form) -> Change:
    """A host functions may call; index: the one to change, None for a new one."""

    def change(edit: Edit, asked: Values) -> None:
        host, reason = form.get("host", "").strip().lower(), " ".join(form.get("reason", "").split())
        methods = [method for method in METHODS if method in form.getlist("methods")]
        if not host:
            raise Invalid.field("host", "Enter a host, such as api.example.com.")
        if not reason:
            raise Invalid.field("reason", "Say why, in words an agency owner understands.")
        _set(asked, "network", index, {"host": host, "methods": methods or ["GET"], "reason": reason})

    entry = None if index is None else _asked("network", index, lambda place: set_host(place, form))
    return _permissions(f"host {form.get('host', '').strip()} {'added' if index is None else 'changed'}", change, entry)


def set_table(index: int | None, form: Form) -> Change:
    """A table of another module; that module is required too, which installing asks for."""

    def change(edit: Edit, asked: Values) -> None:
        module, table = form.get("module", "").strip(), form.get("table", "").strip()
        fields = [part.strip() for part in form.get("fields", "").replace("\n", ",").split(",") if part.strip()]
        access = [right for right in RIGHTS if right in form.getlist("access")]
        for key, value, missing in (
            ("module", module, "Enter the other module's slug."),
            ("table", table, "Enter its table."),
            ("fields", fields, "Name the fields it sees."),
        ):
            if not value:
                raise Invalid.field(key, missing)
        entry = {"module": module, "table": table, "fields": fields}
        _set(asked, "tables", index, entry | {"access": access or ["read"]})
        required = sequence(edit.values, "requires")
        if module not in [at(one, "module") for one in required]:
            edit.values["requires"] = [*required, {"module": module}]

    entry = None if index is None else _asked("tables", index, lambda place: set_table(place, form))
    return _permissions(
        f"table {form.get('table', '').strip()} {'added' if index is None else 'changed'}", change, entry
    )


def _set(asked: Values, key: str, index: int | None, entry: Values) -> None:
    there = list(sequence(asked, key))
    if index is None:
        asked[key] = [*there, entry]
        return
    if not 0 <= index < len(there) or not isinstance(there[index], dict):
        raise NotFound()
    before = there[index]
    there[index] = {**before, **{name: value for name, value in entry.items() if not _usual(before, name, value)}}
    asked[key] = there


def _usual(before: Values, name: str, value: object) -> bool:
    """Whether a value is what its absence says already."""
    return name not in before and value in (["GET"], ["read"])


def remove(kind: str, index: int) -> Change:
    """A host or a table of another module is not asked for any more."""

    def change(edit: Edit, asked: Values) -> None:
        there = sequence(asked, kind) if kind in ("network", "tables") else []
        if not 0 <= index < len(there):
            raise NotFound()
        put(asked, kind, [*there[:index], *there[index + 1 :]])

    entry = _asked(kind, index, lambda place: remove(kind, place))
    return _permissions(f"{'host' if kind == 'network' else 'table'} removed", change, entry)
