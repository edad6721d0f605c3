"""Writes of support: searches kept under a name, functions set going again."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.db.session import after_commit
from app.errors import Conflict, Invalid, NotFound
from app.events.catalog import FUNCTION_WOKEN
from app.installs.actions import tell
from app.installs.models import Install
from app.modules.models import Module
from app.runtime.functions.breaker import breakers
from app.support.models import LogSearch

MOST_SEARCHES = 50
SEARCH_FILTERS = ("q", "kind", "level", "site", "install", "outcome", "request", "last", "since", "until")


class TooManySearches(Conflict):
    """You have 50 saved searches. Delete one first."""


def save_search(db: Session, *, agency_id: UUID, name: str, query: str, shared: bool, by: Actor) -> None:
    """Keep the filters of a query string under a name; one's own of the same name is replaced. Needs the person's scope.

    Raises Invalid with its field (name; query: no filter is in it), TooManySearches.
    """
    name = " ".join(name.split())[:60]
    kept = kept_query(query)
    if not kept:
        raise Invalid.field("query", "There is nothing to save: choose a filter first.")
    if not name:
        raise Invalid.field("name", "Give the search a name.")
    owned = select(func.count()).where(LogSearch.user_id == by.id, LogSearch.agency_id == agency_id)
    if (db.scalar(owned.where(LogSearch.name != name)) or 0) >= MOST_SEARCHES:
        raise TooManySearches()
    values = {"query": kept, "shared": shared}
    db.execute(
        insert(LogSearch)
        .values(agency_id=agency_id, user_id=by.id, name=name, **values)
        .on_conflict_do_update(index_elements=["agency_id", "user_id", "name"], set_=values)
    )


def delete_search(db: Session, *, search: LogSearch, by: Actor) -> None:
    """Forget a search. Raises NotFound for somebody else's, shared or not."""
    if search.user_id != by.id:
        raise NotFound()
    db.delete(search)


def wake_function(db: Session, *, install: Install, function: str, by: Actor) -> None:
    """Let a resting function run again at once. Raises NotFound when it does not rest."""
    if function not in {one.function for one in breakers.resting(install.id)}:
        raise NotFound("This function does not rest any more.")
    module = db.get_one(Module, install.module_id)
    tell(db, FUNCTION_WOKEN, install, module, by=by, data={"function": function})
    install_id = install.id
    after_commit(db, lambda: _reset(install_id, function))


def _reset(install_id: UUID, function: str) -> None:
    breakers.reset(install_id, function)


def kept_query(query: str) -> str:
    """The filters of a query string and nothing else, at most 2,000 characters of them."""
    pairs = [(key, value) for key, value in parse_qsl(query, max_num_fields=200) if key in SEARCH_FILTERS]
    encoded = urlencode(pairs)
    return encoded if len(encoded) <= 2000 else ""
