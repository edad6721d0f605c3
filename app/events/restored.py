"""Events of a database that came from a dump: their places in the stream are of the server they were written on."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

# No event that can be seen is of a transaction this server has yet to number. The last thousand are looked at: those of one
# moment are there in the order of their numbers, not of their transactions.
_FOREIGN = text(
    "SELECT EXISTS (SELECT FROM (SELECT transaction FROM events ORDER BY sequence DESC LIMIT 1000) last"
    " WHERE transaction >= pg_snapshot_xmax(pg_current_snapshot()))"
)
# The first number that a server ever gives to a transaction; among these the numbers of the events are their order.
_BEFORE_ALL = text("UPDATE events SET transaction = '3'::xid8")


def place_restored(db: Session) -> bool:
    """Put all events before whatever this server writes, when some are of another server; whether that was so.

    Who pulls would otherwise be told nothing until this server had counted as many transactions as the other one.
    """
    if not db.scalar(_FOREIGN):
        return False
    db.execute(_BEFORE_ALL)
    return True
