"""The sidebar's way to records."""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID

from flask import url_for
from sqlalchemy.orm import Session

from app.access.permissions import Permission
from app.web.navigation import Drawer
from app.workspace.queries import DataPlace, data_places

MOST = 8


def _shown(session: Session, agency_id: UUID) -> list[dict[str, Any]]:
    """The installs with records, at most 8, and a way to the others. A module's name alone where it is on one site only."""
    found = data_places(session, agency_id=agency_id, limit=MOST + 1)
    modules = Counter(place.module_name for place in found)
    items = [_item(place, alone=modules[place.module_name] == 1) for place in found[:MOST]]
    if len(found) > MOST:
        items.append(
            {"key": "data:more", "label": "All installed modules", "icon": "ellipsis", "url": url_for("installs.index")}
        )
    return items


def _item(place: DataPlace, *, alone: bool) -> dict[str, Any]:
    label = place.module_name if alone else f"{place.module_name} · {place.site_name}"
    where = url_for("workspace.home", install_id=place.public_id)
    return {"key": f"data:{place.public_id}", "label": label, "icon": "table", "url": where}


RECORDS = Drawer("Data", Permission.RECORDS_VIEW, _shown)
