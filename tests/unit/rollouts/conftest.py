"""Installs of the guest book, as tests of installs have them, and modules of any manifest."""

from __future__ import annotations

from app.lib.clock import utcnow
from app.modules.actions import publish_version, upload_package
from app.modules.models import Version
from tests.support.packages import package
from tests.unit.installs.conftest import Desk, desk

__all__ = ["desk", "publish_text"]


def publish_text(desk: Desk, manifest: str, files: dict[str, str] | None = None) -> Version:
    """A published version of the desk's agency, from the text of a manifest."""
    contents = {"module.yaml": manifest.encode(), **{path: text.encode() for path, text in (files or {}).items()}}
    with desk.scope() as session:
        read = package(contents)
        draft = upload_package(session, package=read, agency_id=desk.agency.id, by=desk.actor, now=utcnow())
        publish_version(session, version=draft, package=read, by=desk.actor, now=utcnow())
    return draft
