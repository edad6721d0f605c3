"""Where something outside may be let in: a site with every module of it, or one install. API keys and grants choose from it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.lib.ids import decode, encode

_TARGETS = text(
    """
    SELECT s.id AS site_id, s.name AS site_name, i.id AS install_id, m.name AS module_name
    FROM sites s
    LEFT JOIN modules_v2 i ON i.site_id = s.id AND i.status <> 'removed'
    LEFT JOIN module_source m ON m.id = i.module_id
    WHERE s.agency_id = :agency AND s.archived_at IS NULL
    ORDER BY lower(s.name), s.id, lower(m.name)
    """
)


@dataclass(frozen=True, slots=True)
class Target:
    """A site, or a module on it. install_id None: a site without modules."""

    site_id: UUID
    site_name: str
    install_id: UUID | None
    module_name: str | None


def targets(db: Session, *, agency_id: UUID) -> list[Target]:
    """Every site that is not archived with its installed modules, by name; a site without any is there once."""
    return [Target(*row) for row in db.execute(_TARGETS, {"agency": agency_id})]


def target_choices(targets: list[Target], *, one: str = "{site}: {module}") -> dict[str, list[tuple[str, str]]]:
    """Choices grouped by site: the whole site, then its modules. one: how a module is named."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for target in targets:
        site = encode("ste", target.site_id)
        known = next((name for name, items in groups.items() if items[0][0] == site), None)
        label = known or (target.site_name if target.site_name not in groups else f"{target.site_name} ({site[-4:]})")
        items = groups.setdefault(label, [(site, f"{target.site_name}: every module")])
        if target.install_id is not None:
            named = one.format(site=target.site_name, module=target.module_name)
            items.append((encode("ins", target.install_id), named))
    return groups


def target_chosen(targets: list[Target], chosen: str) -> tuple[UUID, UUID | None]:
    """Site and install of a choice; no install: every module of the site."""
    if chosen.startswith("ste_"):
        return decode("ste", chosen), None
    install_id = decode("ins", chosen)
    return next(target.site_id for target in targets if target.install_id == install_id), install_id
