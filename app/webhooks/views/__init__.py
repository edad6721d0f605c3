"""The webhook screens: the list, an endpoint with its log, its form, its secret, its deliveries, the catalogue of events."""

from app.webhooks.views import endpoints, events, secrets, sending
from app.webhooks.views.common import bp

__all__ = ["bp", "endpoints", "events", "secrets", "sending"]
