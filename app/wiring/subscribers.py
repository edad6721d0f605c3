"""Who hears of events."""

from __future__ import annotations

from app.analytics.receivers import CHARTS
from app.automations.receivers import AUTOMATIONS
from app.events import bus
from app.pages.receivers import SITES as SITES_WITH_PAGES
from app.runtime.functions import schedules
from app.runtime.functions.receivers import FUNCTIONS
from app.webhooks.receivers import ENDPOINTS_OF_AGENCY


def wire_subscribers() -> None:
    """Each receiver under the name its deliveries carry in the database."""
    bus.register("function", FUNCTIONS)
    bus.register("schedules", schedules.SITES)
    bus.register("analytics", CHARTS)
    bus.register("webhook", ENDPOINTS_OF_AGENCY)
    bus.register("pages", SITES_WITH_PAGES)
    bus.register("automation", AUTOMATIONS)
