"""The OpenAPI 3.1 document of one install, made from its manifest and cut to what the caller may do; that of a site's events."""

from __future__ import annotations

from app.gateway.openapi.document import example_record, openapi_document, site_events_document

__all__ = ["example_record", "openapi_document", "site_events_document"]
