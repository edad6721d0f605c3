"""Names: short ids, schemas and roles, identifiers that PostgreSQL takes, event nouns, index and constraint names."""

from __future__ import annotations

import hashlib
import re
from typing import Protocol
from uuid import UUID

MAX_IDENTIFIER_BYTES = 63
IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,40}")
SLUG = re.compile(r"[a-z][a-z0-9-]{1,38}[a-z0-9]")
SHORT_ID = re.compile(r"[0-9a-f]{8}")

SYSTEM_FIELDS = frozenset({"id", "site_id", "created_at", "updated_at", "created_by", "version", "custom"})

# Path segments and names of the platform; a module called so would shadow a route or pass for the house itself.
_SLUGS = """
account accounts admin agencies agency api app apps assets audit auth billing client clients console dashboard docs
dramac dramac-cli embed events fn health help home install installs integrations invitations keys login logout
marketplace me members modules new oauth openapi page pages platform portal ready root s schemas sdk security session
sessions settings signin signup site sites staff static status studio support system test token tokens user users
webhooks well-known workspace www
"""
RESERVED_SLUGS = frozenset(_SLUGS.split())

# Addresses of the API beside a module's tables; a table called so could not be reached.
RESERVED_TABLES = frozenset({"docs", "events", "files", "fn"})

# pg_get_keywords() of PostgreSQL 18, categories R (reserved) and T (reserved, may be a function or type name).
_WORDS = """
all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation
column concurrently constraint create cross current_catalog current_date current_role current_schema current_time
current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign freeze from
full grant group having ilike in initially inner intersect into is isnull join lateral leading left like limit localtime
localtimestamp natural not notnull null offset on only or order outer overlaps placing primary references returning
right select session_user similar some symmetric system_user table tablesample then to trailing true union unique user
using variadic verbose when where window with
"""
RESERVED_WORDS = frozenset(_WORDS.split())


class HasLabel(Protocol):
    """A table of a manifest, as far as its event noun is concerned."""

    @property
    def singular(self) -> str | None: ...


def short_id(module_id: UUID) -> str:
    """The first 8 hex digits of a module's uuid."""
    return module_id.hex[:8]


def clash_short_id(publisher: str, slug: str) -> str:
    """The short id of a module whose first choice is taken: sha256("publisher:slug"), 8 hex digits."""
    return hashlib.sha256(f"{publisher}:{slug}".encode()).hexdigest()[:8]


def schema_name(short: str) -> str:
    """The schema of a module, `mod_<short id>`. Raises ValueError for anything but 8 lower-case hex digits."""
    if not SHORT_ID.fullmatch(short):
        raise ValueError(f"not a short id: {short!r}")
    return f"mod_{short}"


def role_name(short: str) -> str:
    """The NOLOGIN role of a module; it has the name of its schema."""
    return schema_name(short)


def identifier_problem(name: str, *, what: str) -> str | None:
    """Why `name` cannot be a table, field or setting (`what` says which), or None when it can."""
    if not IDENTIFIER.fullmatch(name):
        return (
            f'"{name}" is not a {what} name: use lower-case letters, digits and _, '
            "starting with a letter, at most 41 characters"
        )
    if name in RESERVED_WORDS:
        return f'"{name}" is a reserved word of SQL; choose another {what} name, such as "{name}_value"'
    if what == "table" and name in RESERVED_TABLES:
        return f'"{name}" is an address of the API; choose another table name, such as "{name}_list"'
    if "__" in name:
        return f'"{name}" has __, which joins names of ours; use one _'
    if what == "field" and name in SYSTEM_FIELDS:
        return f'"{name}" is added to every table by the server; choose another field name'
    return None


def slug_problem(slug: str) -> str | None:
    """Why `slug` cannot name a module, or None when it can."""
    if not SLUG.fullmatch(slug):
        return (
            f'"{slug}" is not a module slug: 3 to 40 lower-case letters, digits and hyphens, '
            "starting with a letter and not ending with a hyphen"
        )
    if slug in RESERVED_SLUGS:
        return f'"{slug}" is reserved by the platform; choose another slug'
    return None


def singular(name: str) -> str:
    """The singular of an English table name by the common endings: companies → company, boxes → box, deals → deal."""
    if name.endswith("ies") and len(name) > 4:
        return name[:-3] + "y"
    if name.endswith(("sses", "xes", "zes", "ches", "shes")):
        return name[:-2]
    if name.endswith("s") and not name.endswith(("ss", "us", "is")) and len(name) > 2:
        return name[:-1]
    return name


def event_noun(table_name: str, table: HasLabel) -> str:
    """The `<one>` of a table's own events: label.one as a snake-case name, else the singular of the table's name."""
    slug = re.sub(r"[^a-z0-9]+", "_", (table.singular or "").lower()).strip("_")
    return slug if IDENTIFIER.fullmatch(slug) else singular(table_name)


def own_events(table_name: str, table: HasLabel) -> tuple[str, str, str]:
    """The events a table sends by itself: created, updated, deleted."""
    noun = event_noun(table_name, table)
    return f"{noun}.created", f"{noun}.updated", f"{noun}.deleted"


def object_name(prefix: str, *parts: str) -> str:
    """A name for an index or constraint, `prefix_part_part`, the same for the same input and never over 63 bytes.

    A name that would be cut keeps its start and ends in 8 hex digits of the sha256 over all parts.
    """
    name = "_".join((prefix, *parts))
    if len(name.encode()) <= MAX_IDENTIFIER_BYTES:
        return name
    digest = hashlib.sha256("\x00".join((prefix, *parts)).encode()).hexdigest()[:8]
    return f"{name.encode()[: MAX_IDENTIFIER_BYTES - 9].decode(errors='ignore')}_{digest}"
