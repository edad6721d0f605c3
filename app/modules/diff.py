"""What changed between two versions of a module, in words, and the least version number each change allows.

Removing or narrowing anything others rely on (tables, fields, events, routes, permissions, settings, pages, roles)
is major, and so is asking for more: a new scope, host or foreign table needs consent again. Anything new that nobody
must use is minor, the rest is patch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from semantic_version import Version

from app.modules.changes import Change as Change
from app.modules.changes import ManifestDiff as ManifestDiff
from app.modules.changes import named, rights
from app.modules.diff_tables import narrowings, table_changes
from app.modules.manifest import Manifest, Problem


def diff_manifests(old: Manifest, new: Manifest) -> ManifestDiff:
    """The changes from `old` to `new`, in the order of a manifest."""
    parts = (_head, _permissions, table_changes, _events, _routes, _pages, _settings, _roles, _screens_and_jobs)
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


def _pages(old: Manifest, new: Manifest) -> Iterator[Change]:
    yield from named("page", old.pages, new.pages, gone="major")
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
            reasons = [
                _options(before[name], field) if one.startswith("options ") else one
                for one in narrowings(before[name], field)
            ]
            kind = "setting_narrowed" if reasons else "setting_changed"
            sentence = f'the setting "{name}" ' + (f"is narrower: {', '.join(reasons)}" if reasons else "changed")
            yield Change(kind, path, sentence, "major" if reasons else "patch")


def _options(before: Any, after: Any) -> str:
    """Which options are gone and which there are now, the first twelve of each by name."""

    def few(names: Sequence[str]) -> str:
        return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")

    gone = [one for one in before.options if one not in after.options]
    words = f"the options {few(gone)} are gone" if len(gone) > 1 else f"the option {gone[0]} is gone"
    return f"{words}, there {'are' if len(after.options) > 1 else 'is'} now {few(after.options)}"


def _roles(old: Manifest, new: Manifest) -> Iterator[Change]:
    yield from named("role", old.roles, new.roles, gone="major")
    for name in sorted(old.roles.keys() & new.roles.keys()):
        before, after = old.roles[name], new.roles[name]
        for table in sorted(before.tables.keys() | after.tables.keys()):
            path = f"roles.{name}.tables.{table}"
            yield from rights(before.tables.get(table, ()), after.tables.get(table, ()), path, f"{name} on {table}")
        for table in sorted(after.rows):
            if after.rows[table] == "own" and before.rows.get(table, "all") == "all" and table in before.tables:
                yield Change("right_removed", f"roles.{name}.rows", f"{name} sees only own {table}", "major")


def _screens_and_jobs(old: Manifest, new: Manifest) -> Iterator[Change]:
    yield from named("view", old.views, new.views, gone="minor")
    yield from named("job", old.jobs, new.jobs, gone="minor")
    yield from _inbound(old, new)
    if old.menu != new.menu:
        yield Change("menu_changed", "menu", "the menu changed", "patch")


def _inbound(old: Manifest, new: Manifest) -> Iterator[Change]:
    """Senders were told an address and how to sign: what they would have to change too is major."""
    for name in sorted(old.inbound.keys() - new.inbound.keys()):
        yield Change("inbound_removed", f"inbound.{name}", f'the inbound webhook "{name}" is gone', "major")
    for name, after in new.inbound.items():
        before, path = old.inbound.get(name), f"inbound.{name}"
        if before is None:
            yield Change("inbound_added", path, f'the inbound webhook "{name}" is new', "minor")
        elif (before.scheme, before.hmac) != (after.scheme, after.hmac):
            sentence = f'the inbound webhook "{name}" expects another signature'
            yield Change("inbound_narrowed", path, sentence, "major")
        elif before != after:
            yield Change("inbound_changed", path, f'the inbound webhook "{name}" changed', "patch")
