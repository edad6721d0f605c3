"""An act saved as one change of module.yaml, through the editor's own saving: numbers, history and clashes are one thing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.errors import Conflict, NotFound
from app.studio.builder.changes import Change, edited
from app.studio.builder.manifesttext import Unreadable, at, read_values, write_values
from app.studio.builder.rewrite import NotEditable, same
from app.studio.editor.actions import FileChanged, restore_file, save_file
from app.studio.editor.models import FileState, Project
from app.studio.editor.queries import file_at, file_now

FILE = "module.yaml"
STEPS = 50  # of a history, that are gone through to find what an act was about


class Clash(FileChanged):
    """Somebody else changed the same part meanwhile. text: the file as this act alone would have left it."""

    def __init__(self, state: FileState | None, text: str, names: list[str]) -> None:
        Conflict.__init__(self, f"{' and '.join(names)} changed this part while you had it open. Nothing was saved.")
        self.state, self.text = state, text


def apply(db: Session, *, project: Project, change: Change, base: int | None, by: Actor, now: datetime) -> FileState:
    """Do what a change says, to the file as it was seen at revision `base` or to a newer one that it fits as well.

    It fits when nobody but this person saved meanwhile, or nothing changed in the parts it takes effect in. Raises Clash
    where it does not, NotEditable, Invalid, NotFound.
    """
    state = file_now(db, project=project, path=FILE)
    if state is None:
        raise NotFound()
    values = _values(state)
    if base is not None and base != state.revision:
        seen = file_at(db, project=project, path=FILE, revision=base)
        if seen is None or seen.content is None:
            raise FileChanged(state)
        before = _values(seen)
        fits = all(same(_part(before, path), _part(values, path)) for path in change.within)
        others = [] if fits else _others(db, project, since=base, by=by)
        if others:
            edit = edited(before, change)
            raise Clash(state, write_values(_text(seen), edit.values, edit.renamed), others)
        if change.entry is not None:
            change = change.entry.followed([before, *_since(db, project, base)])
    edit = edited(values, change)
    text = write_values(_text(state), edit.values, edit.renamed)
    return save_file(
        db, project=project, path=FILE, content=text.encode(), base=state.revision, by=by, now=now, note=edit.note
    )


def undo(db: Session, *, project: Project, made: int, to: int, by: Actor, now: datetime) -> FileState:
    """Bring module.yaml back to the change `to`, while `made` is still the last. Raises FileChanged, NotFound."""
    state = file_now(db, project=project, path=FILE)
    if state is None or state.revision != made:
        raise FileChanged(state)
    return restore_file(db, project=project, path=FILE, revision=to, by=by, now=now)


def _text(state: FileState) -> str:
    return (state.content or b"").decode(errors="replace")


def _values(state: FileState) -> dict[str, Any]:
    found = read_values(_text(state))
    if isinstance(found, Unreadable):
        raise NotEditable(f"module.yaml does not read, line {found.line}: {found.message}.")
    return found


def _part(values: dict[str, Any], path: Any) -> Any:
    return at(values, *path)


def _since(db: Session, project: Project, base: int) -> list[dict[str, Any]]:
    """What module.yaml said after a revision, each time it was saved and read well; of a long time the latest."""
    newest = db.scalars(
        select(FileState).where(*_saved_after(project, base)).order_by(FileState.revision.desc()).limit(STEPS)
    )
    found = [read_values(_text(state)) for state in newest]
    return [values for values in reversed(found) if not isinstance(values, Unreadable)]


def _others(db: Session, project: Project, *, since: int, by: Actor) -> list[str]:
    """Who else saved module.yaml after a revision."""
    rows = db.execute(select(FileState.author_id, FileState.author_name).where(*_saved_after(project, since)))
    return sorted({row.author_name for row in rows if row.author_id != by.id})


def _saved_after(project: Project, revision: int) -> tuple[ColumnElement[bool], ...]:
    return (
        FileState.project_id == project.id, FileState.agency_id == project.agency_id, FileState.path == FILE,
        FileState.revision > revision,
    )  # fmt: skip
