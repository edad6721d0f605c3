"""Letters about releases: refused in review to whoever published it, withdrawn to those who have it on sites."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from app.accounts.models import User
from app.mail.actions import post
from app.mail.letters import compose
from app.modules.models import Module, Version
from app.studio.models import Publication
from app.tenancy.models import Agency
from app.tenancy.recipients import recipients


@dataclass(frozen=True, slots=True)
class Setup:
    """keys: what letters are sealed under; platform_url: where their links lead."""

    keys: tuple[str, ...]
    platform_url: str


_setup: dict[str, Setup] = {}


def configure_letters(*, keys: tuple[str, ...], platform_url: str) -> None:
    """Once per process."""
    _setup["setup"] = Setup(keys, platform_url)


def tell_refused(db: Session, *, publication: Publication) -> None:
    """To whoever ordered the publication. In platform scope."""
    person = db.get(User, publication.ordered_by) if publication.ordered_by else None
    if person is None:
        return
    version, setup = db.get_one(Version, publication.version_id), _setup["setup"]
    module = db.get_one(Module, version.module_id)
    words = compose(
        "studio/refused", name=person.name, module=f"{module.name} {version.version}", reason=publication.reason,
        link=f"{setup.platform_url}/studio/publications/{publication.public_id}",
    )  # fmt: skip
    post(
        db, keys=setup.keys, kind="studio.refused", recipient=person.email, agency_id=publication.agency_id, **words.parts()
    )  # fmt: skip


def tell_withdrawn(
    db: Session,
    *,
    agency_id: UUID,
    version: Version,
    module: Module,
    offered: Version | None,
    places: list[tuple[str, str]],
) -> None:
    """To the owners of an agency that has it. places: (site, public id of the install). In platform scope."""
    setup, agency = _setup["setup"], db.get_one(Agency, agency_id)
    links = [(site, f"{setup.platform_url}/installs/{install}") for site, install in places]
    for one in recipients(db, agency_id=agency_id):
        words = compose(
            "studio/withdrawn", name=one.name, agency=agency.name, module=module.name, version=version.version,
            reason=version.yank_reason, offered=offered.version if offered else "", links=links,
        )  # fmt: skip
        post(db, keys=setup.keys, kind="studio.withdrawn", recipient=one.email, agency_id=agency_id, **words.parts())
