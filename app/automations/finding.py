"""Finds the people and records that a step names as people call them."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.automations.queries import Place
from app.automations.recording import rights_of
from app.errors import AppError
from app.modules.conditions import Test
from app.modules.kinds import Kind
from app.runtime.context import load_install
from app.runtime.data import Access, Data, Surface
from app.runtime.query import Query
from app.runtime.validation.problems import Wrong
from app.workspace.queries import colleagues


class ByName:
    """Looks with the rights of who saves the step, since the step will have no others."""

    def __init__(self, db: Session, place: Place, by: Actor) -> None:
        self.db, self.place, self.by = db, place, by

    def person(self, text: str) -> str:
        assert self.by.agency_id is not None
        people = colleagues(self.db, agency_id=self.by.agency_id, install_id=self.place.id)
        ids = [str(one.id) for one in people if text.lower() in (one.name.lower(), one.email.lower())]
        return _only(ids, text, "person", f'nobody here is called "{text}"')

    def record(self, table: str, text: str) -> str:
        """By what its records are called, exactly. Raises Wrong also while the module does not serve."""
        assert self.by.role is not None
        name = self.place.manifest.tables[table].title_field
        try:
            data = Data(load_install(self.place.id), Access(Surface.STAFF, self.by, rights=rights_of(self.by.role)))
            if name is None or data.model.tables[table].columns[name].kind is not Kind.TEXT:
                raise Wrong("must be the id of a record")
            query = Query(where=Test(name, "eq", text, Kind.TEXT), limit=2, fields=(name,))
            ids = [str(one["id"]) for one in data.list(table, query).records]
        except AppError as error:
            raise Wrong(f'"{text}" cannot be looked up now: {error.message.rstrip(".")}') from error
        return _only(ids, text, "record", f'no record is called "{text}"')


def _only(ids: list[str], text: str, what: str, nothing: str) -> str:
    if not ids:
        raise Wrong(nothing)
    if len(ids) > 1:
        raise Wrong(f'"{text}" names more than one {what}; use the id of one')
    return ids[0]
