"""What people do with a project: begin it, change its files, bring earlier states back, order trials, delete it.

Each change is one revision of the project; the project's row is locked while it is made, so numbers never collide.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.errors import Conflict, Invalid, NotFound
from app.events.catalog import PROJECT_CREATED, PROJECT_DELETED, PROJECT_RESTORED, EventType
from app.events.outbox import publish
from app.lib.ids import uuid7
from app.modules.package.limits import MAX_ENTRIES, MAX_PACKED_BYTES, MAX_TEXT_BYTES
from app.modules.package.paths import path_fault, place_fault
from app.queue.enqueue import enqueue
from app.studio.editor.models import FileState, Project, Trial, TrialKind
from app.studio.editor.queries import file_now, files

_SLUG = re.compile(r"[^a-z0-9]+")


class FileChanged(Conflict):
    """Somebody saved this file while you had it open. Compare with theirs, then save again."""

    code = "file_changed"

    def __init__(self, state: FileState | None) -> None:
        who = f" {state.author_name} saved it." if state is not None and state.author_name else ""
        super().__init__(f"This file changed while you had it open.{who} Your text is still here: compare, then save.")
        self.state = state


class FileExists(Conflict):
    """There is a file of this name already."""

    code = "file_exists"


class ProjectFull(Conflict):
    """A project holds at most 500 files and 10 MB."""

    code = "project_full"


class ProjectDeleted(Conflict):
    """This project was deleted. Bring it back to go on with it."""

    code = "project_deleted"


def create_project(
    db: Session, *, name: str, contents: Mapping[str, bytes], starter: str, agency_id: UUID, by: Actor, now: datetime
) -> Project:
    """A project with its first files, as one change. Raises Invalid for its name, ProjectFull."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= 80:
        raise Invalid.field("name", "Enter a name of at most 80 characters.")
    project = Project(
        id=uuid7(), agency_id=agency_id, name=name, starter=starter, revision=1, created_at=now, updated_at=now,
        created_by=by.id if by.kind == "person" else None,
    )  # fmt: skip
    _must_fit(contents)
    db.add(project)
    db.flush()
    for path, content in contents.items():
        _add(db, project, path, content, note="first", by=by, now=now)
    _tell(db, PROJECT_CREATED, project, by)
    return project


def named(contents: Mapping[str, bytes], *, name: str) -> dict[str, bytes]:
    """A starter's files with the new module's name and slug in the place of the starter's."""
    slug = _SLUG.sub("-", name.lower()).strip("-")[:40].strip("-") or "module"
    slug = slug if slug[0].isalpha() else f"m-{slug}"
    found = dict(contents)
    text = found["module.yaml"].decode()
    text = re.sub(r"(?m)^slug: .*$", lambda _: f"slug: {slug if len(slug) > 2 else slug + '-module'}", text, count=1)
    shown = name.replace('"', "'")
    text = re.sub(r"(?m)^name: .*$", lambda _: f'name: "{shown}"', text, count=1)
    found["module.yaml"] = text.encode()
    return found


def save_file(
    db: Session,
    *,
    project: Project,
    path: str,
    content: bytes,
    base: int | None,
    by: Actor,
    now: datetime,
    note: str = "saved",
) -> FileState:
    """A new state of a file. base: the revision of the file that was edited; None writes a new file.

    The same content again changes nothing. Raises FileChanged (another saved it since), FileExists, Invalid (its name,
    its place, its size), ProjectFull.
    """  # fmt: skip
    must_have_place(path)
    if len(content) > MAX_TEXT_BYTES and not path.startswith(("assets/", "screenshots/")):
        raise Invalid.field("content", "A text file may have at most 1 MB.")
    project = _locked(db, project)
    there = file_now(db, project=project, path=path)
    if base is None and there is not None:
        raise FileExists(f"There is a file {path} already.")
    if base is not None and (there is None or there.revision != base):
        raise FileChanged(there)
    if there is not None and there.content == content:
        return there
    _must_fit({**files(db, project=project), path: content})
    return _change(db, project, path, content, note=note if there is not None else "new", by=by, now=now)


def set_version(db: Session, *, project: Project, version: str, by: Actor, now: datetime) -> FileState:
    """Write another version number into module.yaml. Raises NotFound without one, Conflict where no line names it."""
    state = file_now(db, project=project, path="module.yaml")
    if state is None:
        raise NotFound()
    text, found = re.subn(
        r"(?m)^version:.*$", lambda _: f"version: {version}", (state.content or b"").decode(errors="replace"), count=1
    )
    if not found:
        raise Conflict("module.yaml has no line that begins with version:. Write one.")
    return save_file(
        db, project=project, path="module.yaml", content=text.encode(), base=state.revision, by=by, now=now,
        note=f"version {version}",
    )  # fmt: skip


def rename_file(db: Session, *, project: Project, path: str, to: str, by: Actor, now: datetime) -> FileState:
    """Move a file. Raises NotFound, FileExists, Invalid."""
    must_have_place(to)
    project = _locked(db, project)
    there = file_now(db, project=project, path=path)
    if there is None:
        raise NotFound()
    if file_now(db, project=project, path=to) is not None:
        raise FileExists(f"There is a file {to} already.")
    content = there.content
    _change(db, project, path, None, note=f"renamed to {to}", by=by, now=now)
    return _add(db, project, to, content, note=f"renamed from {path}", by=by, now=now)


def delete_file(db: Session, *, project: Project, path: str, by: Actor, now: datetime) -> None:
    """Take a file away; its history stays. Raises NotFound, Conflict for module.yaml."""
    if path == "module.yaml":
        raise Conflict("A module cannot do without module.yaml.")
    project = _locked(db, project)
    if file_now(db, project=project, path=path) is None:
        raise NotFound()
    _change(db, project, path, None, note="deleted", by=by, now=now)


def restore_file(db: Session, *, project: Project, path: str, revision: int, by: Actor, now: datetime) -> FileState:
    """Bring a file back as the change `revision` left it. Raises NotFound when it was not there then."""
    project = _locked(db, project)
    before = db.get(FileState, (project.id, path, revision))
    if before is None or before.content is None:
        raise NotFound()
    _must_fit({**files(db, project=project), path: before.content})
    return _change(db, project, path, before.content, note=f"as it was at {revision}", by=by, now=now)


def restore_project(db: Session, *, project: Project, revision: int, by: Actor, now: datetime) -> int:
    """Bring every file back to where it was after the change `revision`; returns how many files that changed.

    Raises NotFound for a change that there was not: before the first one there were no files at all.
    """
    project = _locked(db, project)
    if not 1 <= revision <= project.revision:
        raise NotFound()
    then, today = files(db, project=project, until=revision), files(db, project=project)
    differing = sorted(path for path in {*then, *today} if then.get(path) != today.get(path))
    if differing:
        project.revision, project.updated_at = project.revision + 1, now
        for path in differing:
            _add(db, project, path, then.get(path), note=f"as it was at {revision}", by=by, now=now)
    return len(differing)


def import_files(db: Session, *, project: Project, contents: Mapping[str, bytes], by: Actor, now: datetime) -> int:
    """Write several files as one change, over those of the same names; returns how many differ from before."""
    for path in contents:
        must_have_place(path)
    project = _locked(db, project)
    today = files(db, project=project)
    _must_fit({**today, **contents})
    differing = [path for path, content in contents.items() if today.get(path) != content]
    if differing:
        project.revision, project.updated_at = project.revision + 1, now
        for path in differing:
            _add(db, project, path, contents[path], note="uploaded", by=by, now=now)
    return len(differing)


def replace_files(db: Session, *, project: Project, contents: Mapping[str, bytes], by: Actor, now: datetime) -> int:
    """Make these files, and no others, the project's, as one change; returns how many that changed."""
    for path in contents:
        must_have_place(path)
    _must_fit(contents)
    project = _locked(db, project)
    today = files(db, project=project)
    differing = sorted(path for path in {*contents, *today} if contents.get(path) != today.get(path))
    if differing:
        project.revision, project.updated_at = project.revision + 1, now
        for path in differing:
            _add(db, project, path, contents.get(path), note="imported", by=by, now=now)
    return len(differing)


def order_trial(db: Session, *, project: Project, kind: TrialKind, asked: dict[str, Any], now: datetime) -> Trial:
    """Ask a worker to try something with the project as it is now."""
    trial = Trial(
        id=uuid7(), agency_id=project.agency_id, project_id=project.id, kind=kind, revision=project.revision, asked=asked,
        created_at=now,
    )  # fmt: skip
    db.add(trial)
    db.flush()
    enqueue(db, "studio.try", trial_id=trial.id)
    return trial


def delete_project(db: Session, *, project: Project, by: Actor, now: datetime) -> None:
    """Put a project away; versions that were made of it stay. It can be brought back."""
    project.deleted_at = now
    db.flush()
    _tell(db, PROJECT_DELETED, project, by)


def bring_back_project(db: Session, *, project: Project, by: Actor) -> None:
    """Undo delete_project()."""
    project.deleted_at = None
    db.flush()
    _tell(db, PROJECT_RESTORED, project, by)


def must_have_place(path: str) -> None:
    """Raises Invalid for a name that no file of a package can have, with the reason."""
    fault = path_fault(path)
    reason = fault[1] if fault else place_fault(path)
    if reason:
        raise Invalid.field("path", f"This file {reason}.")


def _must_fit(contents: Mapping[str, bytes]) -> None:
    if len(contents) > MAX_ENTRIES or sum(map(len, contents.values())) > MAX_PACKED_BYTES:
        raise ProjectFull()


def _locked(db: Session, project: Project) -> Project:
    return db.scalars(
        select(Project).where(Project.id == project.id).with_for_update().execution_options(populate_existing=True)
    ).one()


def _change(
    db: Session, project: Project, path: str, content: bytes | None, *, note: str, by: Actor, now: datetime
) -> FileState:
    project.revision, project.updated_at = project.revision + 1, now
    return _add(db, project, path, content, note=note, by=by, now=now)


def _add(
    db: Session, project: Project, path: str, content: bytes | None, *, note: str, by: Actor, now: datetime
) -> FileState:
    state = FileState(
        project_id=project.id, path=path, revision=project.revision, agency_id=project.agency_id, content=content, note=note,
        author_id=by.id if by.kind == "person" else None, author_name=by.name, at=now,
    )  # fmt: skip
    db.add(state)
    db.flush()
    return state


def _tell(db: Session, event: EventType, project: Project, by: Actor) -> None:
    publish(
        db, event, by=by, agency_id=project.agency_id, target=project.public_id, target_name=project.name,
        data={"project": project.public_id, "name": project.name},
    )  # fmt: skip
