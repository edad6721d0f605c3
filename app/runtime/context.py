"""What a process needs to know of one install to serve it: version, schema, settings, consent, site.

Read through SECURITY DEFINER functions, since the site is only known afterwards; kept for 5 s per process and dropped
at once when `dramac:install-changed` names the install.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from psycopg import Cursor
from psycopg.rows import dict_row
from redis import RedisError

from app.db.pools import runtime_pool
from app.errors import NotFound, Unavailable
from app.installs.entitlement.rules import FREE, Entitlement, NotEntitled, entitled, read_entitlement
from app.installs.inheritance import Level, Resolved, level_from_row, resolve, site_level
from app.lib.clock import utcnow
from app.modules.manifest import Manifest
from app.modules.storage.layout import Layout
from app.queue.enqueue import redis
from app.queue.hearing import Hearing

log = logging.getLogger(__name__)

CHANNEL = "dramac:install-changed"  # the message is an install's uuid, several of them with commas, or * for all
TTL_S = 5.0
MAX_FILES_BYTES = 64 << 20
_READ = (
    "SELECT found.*, runtime_setting_levels(found.install_id) AS levels, "
    "entitlement_of(found.agency_id, found.version_id) AS entitlement, recording_until(found.install_id) AS recording_until "
    "FROM runtime_install(%s) found"
)
_READ_TRIAL = "SELECT found.*, '[]'::jsonb AS levels FROM runtime_trial(%s) found"

_WAITING = {
    "provisioning": "This module is being set up. Try again in a moment.",
    "failed": "Setting this module up failed. Somebody of the agency can try again on the module's page.",
    "paused": "This module is paused on this site.",
}


class InstallNotReady(Unavailable):
    """The module is installed but does not serve right now."""

    code = "install_not_ready"


class InstallNotEntitled(NotEntitled, InstallNotReady):
    """This module has a price, and the agency's trial of it or leave to use it is over. Its records are kept."""


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """The site an install belongs to. currency: ISO 4217; time_zone: IANA; locale: such as en or pt-PT."""

    slug: str
    name: str
    url: str
    time_zone: str
    locale: str
    currency: str


@dataclass(frozen=True, slots=True)
class Connected:
    """A connection that somebody made for an install. access_sealed: under the connection's id, for the parent alone."""

    id: UUID
    name: str
    token_url: str
    access_sealed: str = field(repr=False)
    scopes: tuple[str, ...]
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Sealed:
    """A secret as stored, and what it was sealed for: it may be the site's, its client's or the agency's."""

    text: str = field(repr=False)
    bound: str


@dataclass(frozen=True, slots=True, eq=False)
class InstallContext:
    """One installed version on one site.

    settings: as in force on the site, without secrets; sealed: the secrets in force, as stored. connections: by name,
    those that the version declares and that were made with the service it means. trial_until: of a trial
    (app.runtime.trials), when it ends; what is tried has no effect outside: no events, letters, calls, files, accounts of runs.
    recording_until: how long the API keeps the bodies of writes, if at all.
    """

    install_id: UUID
    agency_id: UUID
    site_id: UUID
    module_id: UUID
    module_slug: str
    module_name: str
    short_id: str
    schema: str
    role: str
    version_id: UUID
    version: str
    digest: str
    manifest: Manifest
    layout: Layout  # as this version sees it
    physical: Layout  # the union of what all installed versions need
    layout_key: str
    settings: Mapping[str, Any]
    sealed: Mapping[str, Sealed] = field(repr=False)
    granted: Mapping[str, Any]
    status: str
    site: SiteFacts
    connections: Mapping[str, Connected] = field(default_factory=dict)
    trial_until: datetime | None = None
    entitlement: Entitlement = FREE
    recording_until: datetime | None = None

    @property
    def entitled(self) -> bool:
        """Whether the agency may use the version at this moment."""
        return entitled(self.entitlement, now=utcnow())

    @property
    def on_trial(self) -> bool:
        return self.trial_until is not None


_contexts: dict[UUID, tuple[float, InstallContext]] = {}
_ids: dict[tuple[UUID, str], tuple[float, UUID]] = {}
_manifests: OrderedDict[str, Manifest] = OrderedDict()
_layouts: OrderedDict[tuple[str, str], tuple[str, Layout, Layout]] = OrderedDict()
_files: OrderedDict[str, Mapping[str, bytes]] = OrderedDict()
_lock = threading.Lock()


def load_install(install_id: UUID, *, even_paused: bool = False) -> InstallContext:
    """The context of an install that serves, or of a trial; even_paused: also of a paused one, or one that the
    agency may not use any more, for people who only look.

    Raises NotFound (none, removed, or a trial that is over), InstallNotReady and InstallNotEntitled.
    """
    kept = _contexts.get(install_id)
    if kept and kept[0] > time.monotonic() and not _over(kept[1]):
        return _usable(kept[1], even_paused)
    _hearing.listen()
    with runtime_pool().connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(_READ, [install_id], prepare=True).fetchone()
        row = row or cursor.execute(_READ_TRIAL, [install_id]).fetchone()
        made = _connections(cursor, row) if row and row["manifest"].get("connections") else []
    if row is None or row["status"] in ("removing", "removed"):
        raise NotFound()
    if row["site_archived"]:
        raise InstallNotReady("This site is archived, or its agency is suspended.")
    if row["status"] in _WAITING and not (even_paused and row["status"] == "paused"):
        raise InstallNotReady(_WAITING[row["status"]])
    context = _context(row, made)
    if context.status == "paused":  # not kept: nobody else may find it
        return context
    _contexts[install_id] = (time.monotonic() + TTL_S, context)
    return _usable(context, even_paused)


def load_trial(trial_id: UUID) -> InstallContext:
    """The context of a trial whatever its state, for the job that makes it. Raises NotFound."""
    with runtime_pool().connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(_READ_TRIAL, [trial_id]).fetchone()
    if row is None:
        raise NotFound()
    return _context(row, [])


def _usable(context: InstallContext, even_paused: bool) -> InstallContext:
    """Asked each time: the end of a trial or grant comes while the context is kept."""
    if even_paused or context.entitled:
        return context
    raise InstallNotEntitled()


def _over(context: InstallContext) -> bool:
    return context.trial_until is not None and context.trial_until <= utcnow()


def find_install(site_id: UUID, module_ref: str) -> InstallContext:
    """The install of a module on a site, by the module's uuid, short id or slug. Raises as load_install()."""
    kept = _ids.get((site_id, module_ref))
    if kept and kept[0] > time.monotonic():
        return load_install(kept[1])
    if len(module_ref) > 64 or "\x00" in module_ref:
        raise NotFound()
    with runtime_pool().connection() as connection:
        row = connection.execute("SELECT runtime_install_id(%s, %s)", [site_id, module_ref], prepare=True).fetchone()
    if row is None or row[0] is None:
        raise NotFound()
    context = load_install(row[0])
    _ids[(site_id, module_ref)] = (time.monotonic() + TTL_S, context.install_id)
    return context


def version_files(context: InstallContext) -> Mapping[str, bytes]:
    """The files of the installed version by path. Kept by digest, as a published version never changes."""
    found = _files.get(context.digest)
    if found is None:
        with runtime_pool().connection() as connection:
            rows = connection.execute("SELECT path, content FROM runtime_files(%s)", [context.version_id]).fetchall()
        found = MappingProxyType({path: bytes(content) for path, content in rows})
        with _lock:
            _files[context.digest] = found
            while (
                len(_files) > 1
                and sum(len(one) for files in _files.values() for one in files.values()) > MAX_FILES_BYTES
            ):
                _files.popitem(last=False)
    return found


def keep_files(digest: str, files: Mapping[str, bytes]) -> None:
    """Hand over the files of a version that is not in the database, such as one on trial."""
    with _lock:
        _files[digest] = files


def forget_install(install_id: UUID | None = None) -> None:
    """Drop what is kept of one install, or of all."""
    if install_id is None:
        _contexts.clear()
        _ids.clear()
        return
    _contexts.pop(install_id, None)
    for key, (_, known) in list(_ids.items()):
        if known == install_id:
            _ids.pop(key, None)


def announce_change(install_id: UUID) -> None:
    """Tell the processes that serve it to read it anew. Without Valkey they notice within seconds by themselves."""
    try:
        redis().publish(CHANNEL, str(install_id))
    except RedisError as error:
        log.warning("could not announce on %s: %s", CHANNEL, error)


def _connections(cursor: Cursor[dict[str, Any]], row: dict[str, Any]) -> list[Connected]:
    found = cursor.execute("SELECT * FROM runtime_connections(%s)", [row["install_id"]], prepare=True).fetchall()
    return [Connected(**{**one, "scopes": tuple(one["scopes"])}) for one in found]


def _context(row: dict[str, Any], made: list[Connected]) -> InstallContext:
    manifest = _manifest(row["digest"], row["manifest"])
    layout_key, layout, physical = _layout(row["digest"], row["layout"] or {}, manifest)
    settings, sealed = _settings(manifest, row)
    return InstallContext(
        install_id=row["install_id"],
        agency_id=row["agency_id"],
        site_id=row["site_id"],
        module_id=row["module_id"],
        module_slug=row["module_slug"],
        module_name=row["module_name"],
        short_id=row["short_id"],
        schema=row["schema_name"] or "",
        role=row["role_name"] or "",
        version_id=row["version_id"],
        version=row["version"],
        digest=row["digest"],
        manifest=manifest,
        layout=layout,
        physical=physical,
        layout_key=layout_key,
        settings=settings,
        sealed=sealed,
        granted=MappingProxyType(row["granted"]),
        status=row["status"],
        site=SiteFacts(
            slug=row["site_slug"],
            name=row["site_name"],
            url=row["site_url"],
            time_zone=row["time_zone"],
            locale=row["locale"],
            currency=row["currency"],
        ),
        connections=MappingProxyType({one.name: one for one in made if _means(manifest, one)}),
        trial_until=row.get("trial_until"),
        entitlement=read_entitlement(row["entitlement"]) if "entitlement" in row else FREE,
        recording_until=row.get("recording_until"),
    )


def _settings(manifest: Manifest, row: dict[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Sealed]]:
    """What is in force on the site, of all levels: values, and secrets as stored."""
    above = [level_from_row(level) for level in row["levels"]]
    values, sealed = in_force(manifest, [*above, site_level(row["install_id"], row["settings"], row["secrets"])])
    if row.get("trial_until") is not None:
        # what a trial is given without being asked, whether declared or not: the colour of the agency
        values |= row["settings"]
    return MappingProxyType(values), MappingProxyType(sealed)


def in_force(manifest: Manifest, levels: Sequence[Level]) -> tuple[dict[str, Any], dict[str, Sealed]]:
    """({setting: value}, {secret: as stored}) of a version, as these levels give them."""
    found, fields = resolve(manifest, levels), manifest.setting_fields
    # one without any value is left out: whoever asks for it gets nothing, as of a setting that is not there
    values = {n: one.value for n, one in found.items() if fields[n].type != "secret" and _is_there(one)}
    return values, {name: Sealed(one.sealed, one.sealed_for) for name, one in found.items() if one.sealed}


def _is_there(one: Resolved) -> bool:
    return one.source != "default" or one.value is not None


def _means(manifest: Manifest, made: Connected) -> bool:
    """Whether the version declares this connection, to the service it was made with."""
    declared = manifest.connections.get(made.name)
    return declared is not None and declared.token_url == made.token_url


def _manifest(digest: str, data: dict[str, Any]) -> Manifest:
    found = _manifests.get(digest)
    if found is None:
        found = Manifest.from_dict(data)
        _keep(_manifests, digest, found, most=500)
    return found


def _layout(digest: str, data: dict[str, Any], manifest: Manifest) -> tuple[str, Layout, Layout]:
    """A key that changes with version or tables, the version's view of the physical tables, and all of them."""
    text = json.dumps(data, sort_keys=True)
    found = _layouts.get((digest, text))
    if found is None:
        physical = Layout.from_dict(data)
        found = (f"{digest}:{physical.digest}", physical.for_manifest(manifest), physical)
        _keep(_layouts, (digest, text), found, most=500)
    return found


def _keep(cache: OrderedDict[Any, Any], key: Any, value: Any, *, most: int) -> None:
    with _lock:
        cache[key] = value
        while len(cache) > most:
            cache.popitem(last=False)


def _heard(data: bytes) -> None:
    text = data.decode(errors="replace")
    try:
        for install_id in [None] if text == "*" else [UUID(one) for one in text.split(",")]:
            forget_install(install_id)
    except ValueError:
        forget_install()


_hearing = Hearing(CHANNEL, "installs", heard=_heard, missed=forget_install, within_s=TTL_S)


def _after_fork() -> None:
    _contexts.clear()
    _ids.clear()


os.register_at_fork(after_in_child=_after_fork)
