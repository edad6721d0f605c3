"""What changed between two versions of a module, in words, and the least version number each change allows.

Removing or narrowing anything others rely on (tables, fields, events, routes, permissions, settings, pages, roles)
is major, and so is asking for more: a new scope, host or foreign table needs consent again. Anything new that nobody
must use is minor, the rest is patch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from semantic_version import Version

from app.modules.manifest import Manifest, Problem, Table
from app.modules.manifest.fields import FieldBase, FormulaField, RollupField

Bump = Literal["patch", "minor", "major"]
_RANK: dict[Bump, int] = {"patch": 0, "minor": 1, "major": 2}
T = TypeVar("T")

# A value of the left type always is a value of the right one.
WIDENINGS = frozenset(
    {
        ("integer", "decimal"), ("rating", "integer"), ("rating", "decimal"), ("percent", "decimal"),
        ("text", "richtext"), ("enum", "text"), ("slug", "text"), ("email", "text"), ("phone", "text"), ("url", "text"),
        ("color", "text"), ("number", "text"), ("rrule", "text"), ("file", "files"), ("ref", "refs"), ("date", "datetime"),
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """One change: `kind` is stable (field_added …), `sentence` is for people, `least_bump` what it needs."""

    kind: str
    path: str
    sentence: str
    least_bump: Bump


@dataclass(frozen=True, slots=True)
class ManifestDiff:
    """Every change from an old to a new manifest."""

    changes: tuple[Change, ...]

    @property
    def least_bump(self) -> Bump:
        """What the changes need together; a release without changes is still a patch."""
        return max((change.least_bump for change in self.changes), key=_RANK.__getitem__, default="patch")

    @property
    def needs_consent(self) -> bool:
        """Whether the new version asks an agency for more than it agreed to."""
        return any(change.kind in ("permission_added", "requirement_added") for change in self.changes)

    def of_kind(self, *kinds: str) -> tuple[Change, ...]:
        """The changes of these kinds."""
        return tuple(change for change in self.changes if change.kind in kinds)


def diff_manifests(old: Manifest, new: Manifest) -> ManifestDiff:
    """The changes from `old` to `new`, in the order of a manifest."""
    parts = (_head, _permissions, _tables, _events, _routes, _pages, _settings, _roles, _screens_and_jobs)
    changes = [change for part in parts for change in part(old, new)]
    if not changes and old.to_dict() != new.to_dict():
        changes = [Change("details_changed", "", "details changed", "patch")]
    return ManifestDiff(tuple(changes))


def least_version(previous: str, diff: ManifestDiff) -> str:
    """The lowest version number the changes allow after `previous`."""
    version = Version(previous)
    following = {"major": version.next_major, "minor": version.next_minor, "patch": version.next_patch}
    return str(following[diff.least_bump]())


def check_bump(previous: str, new_version: str, diff: ManifestDiff) -> list[Problem]:
    """Why `new_version` cannot follow `previous`: nothing, or one problem for each change that needs a higher one.

    A pre-release counts as the version it leads to: 2.0.0-rc.1 may hold major changes after 1.4.0.
    """
    new = Version(new_version)
    if new <= Version(previous):
        return [Problem("version", f"{new_version} is not above {previous}, the version before", code="version")]
    least = Version(least_version(previous, diff))
    if new.truncate() >= least:
        return []
    reasons = [change for change in diff.changes if change.least_bump == diff.least_bump]
    return [
        Problem("version", f"must be at least {least}: {change.sentence} ({change.path})", code="version")
        for change in reasons
    ] or [Problem("version", f"must be at least {least}", code="version")]


def _head(old: Manifest, new: Manifest) -> Iterator[Change]:
    if old.slug != new.slug:
        yield Change("slug_changed", "slug", f'the slug was "{old.slug}" and can never change', "major")
    if old.type != new.type:
        yield Change("type_changed", "type", f"the type was {old.type} and is {new.type}", "major")
    for key in ("name", "summary", "category", "icon", "license"):
        if getattr(old, key) != getattr(new, key):
            yield Change("listing_changed", key, f"the {key} changed", "patch")
    if old.platform != new.platform:
        yield Change(
            "platform_changed", "platform", f"runs on Dramac {new.platform} instead of {old.platform}", "minor"
        )
    if old.pricing != new.pricing:
        yield Change("pricing_changed", "pricing", "the prices changed", "minor")
    if old.locales != new.locales:
        yield Change("locales_changed", "locales", "the languages changed", "minor")
    yield from _requirements(old, new)


def _requirements(old: Manifest, new: Manifest) -> Iterator[Change]:
    before = {item.module: item for item in old.requires}
    after = {item.module: item for item in new.requires}
    for module, item in after.items():
        path = f"requires.{module}"
        must = not item.optional
        if must and (module not in before or before[module].optional):
            yield Change("requirement_added", path, f'needs the module "{module}"', "major")
        elif module not in before:
            yield Change("requirement_changed", path, f'works with the module "{module}"', "minor")
        elif before[module] != item:
            yield Change("requirement_changed", path, f'what it needs of "{module}" changed', "minor")
    for module in sorted(before.keys() - after.keys()):
        yield Change("requirement_removed", f"requires.{module}", f'no longer needs the module "{module}"', "minor")


def _permissions(old: Manifest, new: Manifest) -> Iterator[Change]:
    before, after = _asked(old), _asked(new)
    for key, sentence in after.items():
        if key not in before:
            yield Change("permission_added", "permissions." + key, f"asks for {sentence}", "major")
    for key, sentence in before.items():
        if key not in after:
            yield Change("permission_removed", "permissions." + key, f"no longer asks for {sentence}", "major")
    for scope in sorted(set(new.permissions.optional_scopes) - set(old.permissions.optional_scopes)):
        yield Change("optional_scope_added", f"permissions.optional_scopes.{scope}", f"may ask for {scope}", "minor")
    for scope in sorted(set(old.permissions.optional_scopes) - set(new.permissions.optional_scopes)):
        if scope not in new.permissions.scopes:
            path = f"permissions.optional_scopes.{scope}"
            yield Change("permission_removed", path, f"no longer uses {scope}", "major")


def _asked(manifest: Manifest) -> dict[str, str]:
    """Everything consent is asked for, one entry for each smallest piece: {path: words}."""
    permissions = manifest.permissions
    asked = {f"scopes.{scope}": scope for scope in permissions.scopes}
    for item in permissions.tables:
        for right in item.access:
            for name in item.fields:
                path = f"tables.{item.module}.{item.table}.{name}.{right}"
                asked[path] = f"{right} of {item.table}.{name} of {item.module}"
    for network in permissions.network:
        for method in network.methods:
            asked[f"network.{network.host}.{method}"] = f"{method} to {network.host}"
    for name, connection in manifest.connections.items():
        asked[f"connections.{name}.{connection.authorize_url}"] = f"acting for people at {connection.label}"
        asked[f"connections.{name}.{connection.token_url}"] = f"keeping tokens of {connection.label}"
        if connection.revoke_url:
            asked[f"connections.{name}.{connection.revoke_url}"] = f"giving tokens back to {connection.label}"
        for scope in connection.scopes:
            asked[f"connections.{name}.scopes.{scope}"] = f"{scope} at {connection.label}"
        for host in connection.hosts:
            asked[f"connections.{name}.hosts.{host}"] = f"showing {host} the token of {connection.label}"
    if permissions.email:
        asked["email"] = "sending e-mail"
    if permissions.personal_data:
        asked["personal_data"] = "keeping personal data"
    return asked


def _pairs(old: Mapping[str, T], new: Mapping[str, T]) -> tuple[dict[str, str], list[str]]:
    """({new name: old name} by name or `was`, [old names that are gone])."""
    found: dict[str, str] = {}
    for name, item in new.items():
        was: str | None = getattr(item, "was", None)
        if name in old:
            found[name] = name
        elif was is not None and was in old and was not in new:
            found[name] = was
    return found, [name for name in old if name not in found.values()]


def _tables(old: Manifest, new: Manifest) -> Iterator[Change]:
    pairs, gone = _pairs(old.tables, new.tables)
    for name in gone:
        yield Change("table_removed", f"tables.{name}", f'the table "{name}" is gone', "major")
    for name, table in new.tables.items():
        path = f"tables.{name}"
        if name not in pairs:
            yield Change("table_added", path, f'the table "{name}" is new', "minor")
            continue
        if pairs[name] != name:
            yield Change("table_renamed", path, f'the table "{pairs[name]}" is now "{name}"', "major")
        before = old.tables[pairs[name]]
        yield from _fields(before.fields, table.fields, f"{path}.fields", name)
        yield from _rules(before, table, path, name)


def _fields(old: Mapping[str, Any], new: Mapping[str, Any], path: str, table: str) -> Iterator[Change]:
    pairs, gone = _pairs(old, new)
    for name in gone:
        yield Change("field_removed", f"{path}.{name}", f'the field "{name}" of {table} is gone', "major")
    for name, field in new.items():
        place = f"{path}.{name}"
        if name not in pairs:
            if field.required and field.default is None:
                sentence = f'the field "{name}" of {table} is new and required, with no default'
                yield Change("required_field_added", place, sentence, "major")
            else:
                yield Change("field_added", place, f'the field "{name}" of {table} is new', "minor")
            continue
        if pairs[name] != name:
            yield Change("field_renamed", place, f'the field "{pairs[name]}" of {table} is now "{name}"', "major")
        yield from _field(old[pairs[name]], field, place, f'"{name}" of {table}')


def _field(old: FieldBase, new: FieldBase, path: str, what: str) -> Iterator[Change]:
    before, after = str(getattr(old, "type", "")), str(getattr(new, "type", ""))
    if before != after:
        wider = (before, after) in WIDENINGS
        kind, bump = ("field_widened", "minor") if wider else ("field_narrowed", "major")
        yield Change(kind, path, f"{what} was {before} and is {after}", bump)  # type: ignore[arg-type]  # both are bumps
        if not wider:
            return
    narrowed = list(_narrowings(old, new))
    # another target or result is a loss seen from either side; it is told once, as the loss it is
    widened = [reason for reason in _narrowings(new, old) if not reason.startswith(("refers to", "gives"))]
    for reason in narrowed:
        kind = "required_added" if reason == "required" else "field_narrowed"
        yield Change(kind, path, f"{what} is narrower: {_NARROWER.get(reason, reason)}", "major")
    for reason in widened:
        yield Change("field_widened", path, f"{what} is wider: {_wider(reason)}", "minor")
    if before == after and not narrowed and not widened and _without_was(old) != _without_was(new):
        computed = isinstance(new, (FormulaField, RollupField))
        yield Change("field_changed", path, f"{what} changed", "minor" if computed else "patch")


_NARROWER = {"required": "it is required now", "unique": "it is unique now", "private": "it is private now"}
_WIDER = {"required": "it may be empty", "unique": "values may repeat", "private": "it is no longer private"}


def _wider(reason: str) -> str:
    """A limit of the old version, told as gone."""
    if reason.startswith("options "):
        return f"new {reason}"
    return _WIDER.get(reason) or f"no longer {reason}"


def _without_was(field: FieldBase) -> FieldBase:
    return field.model_copy(update={"was": None})


def _narrowings(old: Any, new: Any) -> Iterator[str]:
    """What a value could be under `old` and can no longer be under `new`."""
    for flag in ("required", "unique", "private"):
        if getattr(new, flag, False) and not getattr(old, flag, False):
            yield flag
    low, high = (
        (getattr(old, "min", None), getattr(new, "min", None)),
        (getattr(old, "max", None), getattr(new, "max", None)),
    )
    if low[1] is not None and (low[0] is None or low[1] > low[0]):
        yield f"min {low[1]}"
    if high[1] is not None and (high[0] is None or high[1] < high[0]):
        yield f"max {high[1]}"
    options = getattr(old, "options", None) or (), getattr(new, "options", None) or ()
    lost = [option for option in options[0] if option not in options[1]] if options[1] else []
    if lost:
        yield f"options {', '.join(lost)}"
    elif options[1] and not options[0] and getattr(old, "type", "") == getattr(new, "type", ""):
        yield "only its options"
    if getattr(old, "scale", 0) > getattr(new, "scale", 10):
        yield f"{new.scale} digits after the point"
    if getattr(old, "max_mb", 0) > getattr(new, "max_mb", 1000):
        yield f"files of {new.max_mb} MiB"
    if getattr(old, "to", None) != getattr(new, "to", None):
        yield f"refers to {getattr(new, 'to', None)}"
    if getattr(old, "as_", None) != getattr(new, "as_", None):
        yield f"gives {getattr(new, 'as_', None)}"


def _rules(old: Table, new: Table, path: str, table: str) -> Iterator[Change]:
    for key, words in (("unique", "a unique rule"), ("check", "a check")):
        before, after = getattr(old, key), getattr(new, key)
        if any(rule not in before for rule in after):
            yield Change("rule_added", f"{path}.{key}", f"{table} has {words} it had not", "major")
        if any(rule not in after for rule in before):
            yield Change("rule_removed", f"{path}.{key}", f"{table} lost {words}", "minor")
    for key in ("no_overlap", "capacity", "ledger"):
        before, after = getattr(old, key), getattr(new, key)
        if before != after:
            bump: Bump = "minor" if after is None else "major"
            kind = "rule_removed" if after is None else "rule_added"
            yield Change(
                kind, f"{path}.{key}", f"{key} of {table} {'is gone' if after is None else 'is new or changed'}", bump
            )
    yield from _states(old, new, f"{path}.states", table)
    for who in ("public", "staff", "api"):
        yield from _rights(
            getattr(old.access, who), getattr(new.access, who), f"{path}.access.{who}", f"{who} of {table}"
        )
    for key in ("label", "title", "help", "indexes", "timeline", "audit"):
        if getattr(old, key) != getattr(new, key):
            bump = "minor" if key in ("timeline", "audit") else "patch"
            yield Change("table_changed", f"{path}.{key}", f"{key} of {table} changed", bump)


def _states(old: Table, new: Table, path: str, table: str) -> Iterator[Change]:
    if old.states == new.states:
        return
    before, after = _moves(old), _moves(new)
    if after is None:
        yield Change("rule_removed", path, f"{table} may change its state freely", "minor")
    elif before is None or before - after:
        yield Change("rule_added", path, f"{table} lost moves between states", "major")
    else:
        yield Change("rule_removed", path, f"{table} has new moves between states", "minor")


def _moves(table: Table) -> set[tuple[str, str]] | None:
    if table.states is None:
        return None
    return {(state, target) for state, targets in table.states.moves.items() for target in targets}


def _rights(old: Iterable[str], new: Iterable[str], path: str, who: str) -> Iterator[Change]:
    before, after = set(old), set(new)
    for right in sorted(before - after):
        yield Change("right_removed", path, f"{who} may no longer {right}", "major")
    for right in sorted(after - before):
        yield Change("right_added", path, f"{who} may {right}", "minor")


def _events(old: Manifest, new: Manifest) -> Iterator[Change]:
    for event in sorted(set(old.own_events) - set(new.own_events)):
        yield Change("event_removed", f"events.{event}", f'the event "{event}" is gone', "major")
    for event in sorted(set(new.own_events) - set(old.own_events)):
        yield Change("event_added", f"events.{event}", f'the event "{event}" is new', "minor")


_OPENNESS = {"staff": 0, "api": 0, "public": 1}


def _routes(old: Manifest, new: Manifest) -> Iterator[Change]:
    before, after = _routes_of(old), _routes_of(new)
    for name in sorted(before.keys() - after.keys()):
        yield Change("route_removed", f"functions.{before[name][0]}.route", f"the route {name} is gone", "major")
    for name, (function, route) in after.items():
        path = f"functions.{function}.route"
        if name not in before:
            yield Change("route_added", path, f"the route {name} is new", "minor")
            continue
        was = before[name][1]
        if was.auth != route.auth:
            opened = _OPENNESS[route.auth] > _OPENNESS[was.auth]
            kind, bump = ("route_widened", "minor") if opened else ("route_narrowed", "major")
            yield Change(kind, path, f"the route {name} is for {route.auth} instead of {was.auth}", bump)  # type: ignore[arg-type]  # both are bumps
        if was.rate != route.rate:
            faster = _per_second(route.limit) >= _per_second(was.limit)
            kind, bump = ("route_widened", "minor") if faster else ("route_narrowed", "major")
            yield Change(kind, path, f"the route {name} allows {route.rate} instead of {was.rate}", bump)  # type: ignore[arg-type]  # both are bumps
    for name in new.functions:
        if name in old.functions and _without_route(old.functions[name]) != _without_route(new.functions[name]):
            yield Change("function_changed", f"functions.{name}", f'the function "{name}" changed', "patch")


def _per_second(limit: tuple[int, int]) -> float:
    return limit[0] / limit[1]


def _without_route(function: Any) -> Any:
    return function.model_copy(update={"route": None})


def _routes_of(manifest: Manifest) -> dict[str, tuple[str, Any]]:
    return {
        f"{function.route.method} {function.route.path}": (name, function.route)
        for name, function in manifest.functions.items()
        if function.route is not None
    }


def _named(kind: str, old: Mapping[str, Any], new: Mapping[str, Any], *, gone: Bump) -> Iterator[Change]:
    """Changes of a mapping by name; `gone` is what a removal needs."""
    for name in sorted(old.keys() - new.keys()):
        yield Change(f"{kind}_removed", f"{kind}s.{name}", f'the {kind} "{name}" is gone', gone)
    for name, item in new.items():
        if name not in old:
            yield Change(f"{kind}_added", f"{kind}s.{name}", f'the {kind} "{name}" is new', "minor")
        elif old[name] != item:
            yield Change(f"{kind}_changed", f"{kind}s.{name}", f'the {kind} "{name}" changed', "patch")


def _pages(old: Manifest, new: Manifest) -> Iterator[Change]:
    yield from _named("page", old.pages, new.pages, gone="major")
    for name in sorted(old.pages.keys() & new.pages.keys()):
        before, after = old.pages[name], new.pages[name]
        for mode in sorted(set(before.modes) - set(after.modes)):
            yield Change("page_narrowed", f"pages.{name}.modes", f'the page "{name}" has no {mode} any more', "major")
        for param in sorted(before.params.keys() - after.params.keys()):
            yield Change("page_narrowed", f"pages.{name}.params", f'the page "{name}" lost {param}', "major")


def _settings(old: Manifest, new: Manifest) -> Iterator[Change]:
    before, after = old.setting_fields, new.setting_fields
    for name in sorted(before.keys() - after.keys()):
        yield Change("setting_removed", f"settings.{name}", f'the setting "{name}" is gone', "major")
    for name, field in after.items():
        path = f"settings.{name}"
        if name not in before:
            must = field.required and field.default is None
            words = "new and required, with no default" if must else "new"
            yield Change("setting_added", path, f'the setting "{name}" is {words}', "major" if must else "minor")
        elif before[name].type != field.type:
            sentence = f'the setting "{name}" was {before[name].type} and is {field.type}'
            yield Change("setting_narrowed", path, sentence, "major")
        elif before[name] != field:
            reasons = list(_narrowings(before[name], field))
            kind = "setting_narrowed" if reasons else "setting_changed"
            sentence = f'the setting "{name}" ' + (f"is narrower: {', '.join(reasons)}" if reasons else "changed")
            yield Change(kind, path, sentence, "major" if reasons else "patch")


def _roles(old: Manifest, new: Manifest) -> Iterator[Change]:
    yield from _named("role", old.roles, new.roles, gone="major")
    for name in sorted(old.roles.keys() & new.roles.keys()):
        before, after = old.roles[name], new.roles[name]
        for table in sorted(before.tables.keys() | after.tables.keys()):
            path = f"roles.{name}.tables.{table}"
            yield from _rights(before.tables.get(table, ()), after.tables.get(table, ()), path, f"{name} on {table}")
        for table in sorted(after.rows):
            if after.rows[table] == "own" and before.rows.get(table, "all") == "all" and table in before.tables:
                yield Change("right_removed", f"roles.{name}.rows", f"{name} sees only own {table}", "major")


def _screens_and_jobs(old: Manifest, new: Manifest) -> Iterator[Change]:
    yield from _named("view", old.views, new.views, gone="minor")
    yield from _named("job", old.jobs, new.jobs, gone="minor")
    if old.menu != new.menu:
        yield Change("menu_changed", "menu", "the menu changed", "patch")
