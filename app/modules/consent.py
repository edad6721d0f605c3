"""What a module asks for, in words an agency owner understands; shown before installing and kept with the install."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from app.modules.manifest import Manifest

Level = Literal["read", "write", "outside"]


@dataclass(frozen=True, slots=True)
class Ask:
    """One permission. level: reads, changes, or lets something leave the platform. icon: a name of the icon sprite."""

    key: str
    icon: str
    title: str
    text: str
    level: Level | None = None


def asks_of(manifest: Manifest) -> list[Ask]:
    """Everything the module will be able to do, most far-reaching last; never empty."""
    return [*_own(manifest), *_foreign(manifest), *_personal(manifest), *_outside(manifest)]


def grant_of(manifest: Manifest) -> dict[str, Any]:
    """What is consented to, as the install keeps it: the machine-readable permissions and the words that were shown."""
    permissions = manifest.permissions
    return {
        "scopes": list(permissions.scopes),
        "tables": [item.model_dump(mode="json") for item in permissions.tables],
        "network": [item.model_dump(mode="json") for item in permissions.network],
        "email": permissions.email,
        "personal_data": permissions.personal_data,
        "connections": {name: sorted(item.hosts) for name, item in manifest.connections.items()},
        "shown": [asdict(ask) for ask in asks_of(manifest)],
    }


def _own(manifest: Manifest) -> list[Ask]:
    asks = []
    if manifest.tables:
        names = _listed([table.label.many if table.label else name for name, table in manifest.tables.items()])
        text = f"Its own tables on this site: {names}. Other sites and modules cannot see them."
        asks.append(Ask("tables", "database", "Keep records", text, "write"))
    if any(page.kind in ("page", "form", "widget") for page in manifest.pages.values()):
        text = "Visitors can open its pages, on an address of their own apart from this admin area."
        asks.append(Ask("pages", "globe", "Show pages to visitors", text))
    if manifest.functions:
        text = "Code of the module, in a sandbox: it reaches only what is listed here."
        asks.append(Ask("functions", "code", "Run functions", text))
    if manifest.jobs:
        text = f"{len(manifest.jobs)} timed {'job' if len(manifest.jobs) == 1 else 'jobs'}, in the site's time zone."
        asks.append(Ask("jobs", "clock", "Act by the clock", text))
    if manifest.inbound:
        titles = _listed([one.title for one in manifest.inbound.values()])
        text = f"{titles}. Each only once somebody has set up its secret, and only what is signed with it."
        asks.append(Ask("inbound", "webhook", "Take messages of other services", text))
    if not asks:
        asks.append(Ask("nothing", "shield-check", "Nothing", "It asks for no data and no rights."))
    return asks


def _foreign(manifest: Manifest) -> list[Ask]:
    asks = []
    for item in manifest.permissions.tables:
        writes = [right for right in item.access if right != "read"]
        title = f"{'Change' if writes else 'Read'} {item.table} of {item.module}"
        text = f"Only the fields {_listed(list(item.fields))}."
        asks.append(Ask(f"tables.{item.module}.{item.table}", "table", title, text, "write" if writes else "read"))
    for scope in manifest.permissions.scopes:
        asks.append(Ask(f"scopes.{scope}", "key-round", f"Use {scope}", "A right on the platform itself.", "write"))
    return asks


def _personal(manifest: Manifest) -> list[Ask]:
    if not manifest.permissions.personal_data:
        return []
    fields = sorted({name for table in manifest.tables.values() for name, f in table.fields.items() if f.pii})
    text = (
        f"Such as {_listed(fields)}. It is marked as personal and can be exported and erased."
        if fields
        else ("It is marked as personal and can be exported and erased.")
    )
    return [Ask("personal_data", "users", "Keep personal data", text, "read")]


def _outside(manifest: Manifest) -> list[Ask]:
    asks = []
    if manifest.permissions.email:
        asks.append(
            Ask("email", "mail", "Send e-mail", "To people of the agency and to whoever wrote to it.", "outside")
        )
    for item in manifest.permissions.network:
        asks.append(Ask(f"network.{item.host}", "external-link", f"Talk to {item.host}", item.reason, "outside"))
    for name, connection in manifest.connections.items():
        text = f"{connection.help} Once somebody connects it, and only with {_listed(sorted(connection.hosts))}."
        asks.append(Ask(f"connections.{name}", "plug", f"Act for you at {connection.label}", text, "outside"))
    return asks


def _listed(names: list[str], most: int = 6) -> str:
    shown = names[:most]
    if len(names) > most:
        return ", ".join(shown) + f" and {len(names) - most} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)
