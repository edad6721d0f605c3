"""Records that come again under the ids they had: from the file that going back from an upgrade leaves (app.rollouts.putback).

Nobody else chooses an id: no screen, no program and no function of a module is given this kind of transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.runtime.data.access import CREATE
from app.runtime.data.preparing import check_one
from app.runtime.data.results import Record
from app.runtime.data.writes import Transaction


class Again(Transaction):
    """A transaction whose new records may say which they are. Asked for by Data.transaction_of()."""

    def insert_again(self, name: str, record_id: UUID, values: Mapping[str, Any], numbers: Mapping[str, str]) -> Record:
        """As insert(), under this id and with the numbers it had: a creation like any other, with hooks, event, history.

        numbers: {number field: text}; one that is not in it is given anew. Raises as insert(), and Conflict for an id
        that is taken.
        """
        model = self.table(name, CREATE)
        checked = self._with_hook(model, check_one(self, model, values), None)
        return self._insert(model, [{**checked, **numbers}], single=True, ids=[record_id])[0]
