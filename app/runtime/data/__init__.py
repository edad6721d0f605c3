"""The only way to the records of modules.

    data = Data(find_install(site_id, "crm"), Access(Surface.STAFF, actor))
    page = data.list("deals", data.parse_list("deals", request.args.items(multi=True)))
    with data.transaction() as tx:
        deal = tx.insert("deals", {"name": "Boat"})
        tx.emit("deal.opened", {"deal": str(deal.id)})

Answers are JSON that PostgreSQL built. In it ids are uuid texts, money and durations whole numbers, decimals numbers,
moments RFC 3339 in UTC with microseconds, days 2026-03-14, times 14:30:00, lists never null, an expanded reference the
record itself, a secret {"set": true}. Owns no table of its own; writes public.events.
"""

from app.runtime.data.access import Access as Access
from app.runtime.data.access import Surface as Surface
from app.runtime.data.results import Page as Page
from app.runtime.data.results import Record as Record
from app.runtime.data.store import Data as Data
from app.runtime.data.store import configure_data as configure_data
from app.runtime.data.writes import Hooks as Hooks
from app.runtime.data.writes import Transaction as Transaction
