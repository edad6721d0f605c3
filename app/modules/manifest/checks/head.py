"""The head: slug, versions, requirements, permissions, prices, and what the type of module allows."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from semantic_version import NpmSpec, Version

from app.modules.manifest.checks.context import Checker
from app.modules.manifest.model import ALLOWED, Capability
from app.modules.manifest.yamltext import Path
from app.modules.naming import slug_problem

_HOST = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_PRIVATE_SUFFIXES = (".local", ".localhost", ".internal", ".test", ".invalid", ".example", ".onion", ".arpa", ".lan")
RESERVED = frozenset(
    {
        "response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method",
        "response_mode", "request", "request_uri",
    }
)  # fmt: skip
_WHAT = {
    Capability.DATA: "tables",
    Capability.SCREENS: "views and a menu",
    Capability.HOOKS: "functions that refuse changes (before_…)",
    Capability.EVENTS: "events",
    Capability.JOBS: "jobs",
    Capability.ROLES: "roles",
    Capability.EMAIL: "permission to send e-mail",
    Capability.CONNECTIONS: "connections",
    Capability.INBOUND: "inbound webhooks",
}
_PLACE: dict[Capability, Path] = {
    Capability.DATA: ("tables",),
    Capability.SCREENS: ("views",),
    Capability.HOOKS: ("functions",),
    Capability.EVENTS: ("events",),
    Capability.JOBS: ("jobs",),
    Capability.ROLES: ("roles",),
    Capability.EMAIL: ("permissions", "email"),
    Capability.CONNECTIONS: ("connections",),
    Capability.INBOUND: ("inbound",),
}


def check_head(checker: Checker) -> None:
    """Everything above the tables."""
    _identity(checker)
    _requires(checker)
    _permissions(checker)
    _connections(checker)
    _pricing(checker)
    _type(checker)
    checker.duplicates(checker.manifest.locales, ("locales",), "language")


def _identity(checker: Checker) -> None:
    manifest = checker.manifest
    if ("slug",) not in checker.cut and (fault := slug_problem(manifest.slug)):
        checker.report(("slug",), fault, "reserved")
    try:
        Version(manifest.version)
    except ValueError:
        message = f'"{manifest.version}" is not a semantic version; write three numbers, such as 1.0.0'
        checker.report(("version",), message, "version")
    _range(checker, manifest.platform, ("platform",))


def _range(checker: Checker, text: str, path: Path) -> None:
    try:
        NpmSpec(text)
    except ValueError:
        checker.report(path, f'"{text}" is not a range of versions; write one such as ^1.2 or >=1.4 <2', "version")


def _requires(checker: Checker) -> None:
    manifest = checker.manifest
    checker.duplicates([item.module for item in manifest.requires], ("requires",), "module")
    for index, item in enumerate(manifest.requires):
        _range(checker, item.version, ("requires", index, "version"))
        if item.module == manifest.slug:
            checker.report(("requires", index, "module"), "a module cannot require itself", "cycle")


def _permissions(checker: Checker) -> None:
    manifest = checker.manifest
    permissions = manifest.permissions
    for name, scopes in (("scopes", permissions.scopes), ("optional_scopes", permissions.optional_scopes)):
        checker.duplicates(scopes, ("permissions", name), "scope")
    for index, scope in enumerate(permissions.optional_scopes):
        if scope in permissions.scopes:
            path: Path = ("permissions", "optional_scopes", index)
            checker.report(path, f'"{scope}" is in scopes already; it is either optional or not', "duplicate")
    required = {item.module for item in manifest.requires}
    for index, foreign in enumerate(permissions.tables):
        if foreign.module not in required:
            path = ("permissions", "tables", index, "module")
            checker.report(path, f'"{foreign.module}" is not in requires; add {{module: {foreign.module}}} there')
        checker.duplicates(foreign.fields, ("permissions", "tables", index, "fields"), "field")
    for index, network in enumerate(permissions.network):
        if fault := host_problem(network.host):
            checker.report(("permissions", "network", index, "host"), fault, "host")
    checker.duplicates([item.host for item in permissions.network], ("permissions", "network"), "host")
    if not permissions.personal_data:
        _undeclared_personal_data(checker)


def _connections(checker: Checker) -> None:
    callable_hosts = {item.host for item in checker.manifest.permissions.network}
    for name, connection in checker.manifest.connections.items():
        path: Path = ("connections", name)
        checker.duplicates(connection.hosts, (*path, "hosts"), "host")
        checker.duplicates(connection.scopes, (*path, "scopes"), "scope")
        for index, host in enumerate(connection.hosts):
            if host not in callable_hosts:
                fault = f'"{host}" is not in permissions.network; functions could not call it'
                checker.report((*path, "hosts", index), fault, "host")
        for key in ("authorize_url", "token_url", "revoke_url"):
            url = getattr(connection, key)
            if url is not None and (wrong := url_problem(url)):
                checker.report((*path, key), wrong, "host")
        if taken := sorted(RESERVED & connection.params.keys()):
            checker.report((*path, "params", taken[0]), f'"{taken[0]}" is set by the platform', "reserved")


def url_problem(url: str) -> str | None:
    """Why the platform would not call this https address, or None when it would."""
    parts = urlsplit(url)
    if parts.fragment or parts.username or ":" in parts.netloc:
        return f'"{url}" must have neither a port, a fragment nor a name before the host'
    return host_problem(parts.netloc)


def _undeclared_personal_data(checker: Checker) -> None:
    for table_name, table in checker.manifest.tables.items():
        for name, field in table.fields.items():
            if field.pii:
                message = "the field is personal data; say so with permissions: {personal_data: true}"
                path = ("tables", table_name, "fields", name, "pii")
                checker.report(path, message, "personal_data", severity="warning")
                return


def host_problem(host: str) -> str | None:
    """Why functions cannot be given this host, or None when they can."""
    if any(mark in host for mark in "/:@?#"):
        return f'"{host}" is not a host name; write it without scheme, port and path, such as api.example.com'
    if "*" in host:
        return f'"{host}" has a wildcard; name each host'
    try:
        ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        return f'"{host}" is an address; name the host'
    if host != host.lower() or not _HOST.fullmatch(host):
        return f'"{host}" is not a host name; write it in lower-case letters, such as api.example.com'
    if host.endswith(_PRIVATE_SUFFIXES):
        return f'"{host}" is not a public host'
    return None


def _pricing(checker: Checker) -> None:
    plans = checker.manifest.pricing
    checker.duplicates([plan.id for plan in plans], ("pricing",), "plan")
    for index, plan in enumerate(plans):
        if plan.per == "once" and plan.trial_days:
            checker.report(("pricing", index, "trial_days"), "a price paid once has no trial", "value")


def _type(checker: Checker) -> None:
    manifest = checker.manifest
    for capability in sorted(manifest.capabilities - ALLOWED[manifest.type]):
        article = "an" if manifest.type == "integration" else "a"
        message = f"{article} {manifest.type} cannot have {_WHAT[capability]}; make it type: app or take them out"
        checker.report(_PLACE[capability], message, "capability", key=True)
