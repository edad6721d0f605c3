"""before_* functions: they see a change first, may alter it and may refuse it, in the same transaction."""

from __future__ import annotations

from typing import Any

from app.modules.manifest.pages import TableHook
from app.runtime.data import Transaction
from app.runtime.functions.account import Run
from app.runtime.functions.errors import FunctionFailed
from app.runtime.functions.run import closed, run_function


class FunctionHooks:
    """What the data layer calls before a change. Its own checks of the values come before and after.

    accounts: gets the accounts of runs instead of module_function_runs. dry: for changes that are undone whatever comes of
    them; what functions reach outside the transaction is closed to them, and how they fare counts for nothing.
    """

    def __init__(self, accounts: list[Run] | None = None, *, dry: bool = False) -> None:
        self.accounts, self.dry = accounts, dry

    def before(
        self, tx: Transaction, table: str, event: str, old: dict[str, Any] | None, new: dict[str, Any] | None
    ) -> dict[str, Any] | None:
        """The values the functions of the module make of `new`, in the manifest's order; None leaves them as they are.

        A function gets {event, table, old, new} and returns the record to keep, or nothing. Raises RefusedByFunction,
        FunctionFailed.
        """
        made = new
        for name, function in tx.context.manifest.functions.items():
            on = function.on
            if not isinstance(on, TableHook) or on.table != table or on.event != event:
                continue
            given = {"event": event, "table": table, "old": old, "new": made}
            output = run_function(
                closed(tx.context) if self.dry else tx.context, name, given, trigger="test" if self.dry else "hook",
                cause=f"{table}.{event}", actor=tx.access.actor, tx=tx,
                depth=tx.settings.depth, accounts=self.accounts,
            )  # fmt: skip
            if output is None or event == "before_delete":
                continue
            if not isinstance(output, dict):
                raise FunctionFailed(f"{name} must return the record to keep, or nothing.")
            made = {**(made or {}), **output}
        return made if made != new else None
