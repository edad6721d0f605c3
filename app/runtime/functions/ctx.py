"""ctx as plain data: what a function is told before it starts. Everything else of ctx is a call of the host."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from app.access.actors import Actor
from app.lib.crypto import CannotOpen, unseal
from app.lib.ids import encode
from app.runtime.context import InstallContext
from app.runtime.functions import connections, process

log = logging.getLogger(__name__)


def open_settings(context: InstallContext) -> dict[str, Any]:
    """Every setting but the secrets, as templates and functions see it; None for one without a value."""
    named = [name for name, spec in context.manifest.setting_fields.items() if spec.type != "secret"]
    return {name: context.settings.get(name) for name in named}


def settings_with_secrets(context: InstallContext) -> dict[str, Any]:
    """The settings of an install; secrets opened, for functions alone. One that does not open is left out."""
    found = open_settings(context)
    for name, sealed in context.sealed.items():
        try:
            found[name] = unseal(process.keys(), sealed.text, sealed.bound)
        except CannotOpen:
            log.error("the secret %s of install %s does not open", name, context.install_id)
    return found


def site_facts(context: InstallContext) -> dict[str, Any]:
    """The site as templates and functions see it."""
    site = context.site
    return {
        "name": site.name,
        "slug": site.slug,
        "url": site.url,
        "timezone": site.time_zone,
        "locale": site.locale,
        "currency": site.currency,
    }


def ctx_of(context: InstallContext, actor: Actor, now: datetime) -> dict[str, Any]:
    """settings, actor, now, site, connections and install. Nothing of it can be used to reach anything."""
    return {
        "settings": settings_with_secrets(context),
        "actor": {
            "kind": actor.kind,
            "id": actor.ref if actor.id else None,
            "name": actor.name,
            "role": str(actor.role) if actor.role else None,
        },
        "now": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "site": site_facts(context),
        "connections": connections.states(context),
        "install": {
            "id": encode("ins", context.install_id),
            "module": context.module_slug,
            "version": context.version,
        },
    }
