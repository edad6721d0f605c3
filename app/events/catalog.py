"""Every event of the platform: its type, who may receive it, its words, whether the audit trail keeps it.

Events of modules (`deal.won`) are declared in their manifests; these are the platform's own.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.access.permissions import Permission


@dataclass(frozen=True, slots=True)
class EventType:
    name: str
    label: str
    permission: Permission  # needed to receive or read it
    audited: bool = True


CATALOG: dict[str, EventType] = {}


def _event(name: str, label: str, permission: Permission, *, audited: bool = True) -> EventType:
    CATALOG[name] = event = EventType(name, label, permission, audited)
    return event


AGENCY_CREATED = _event("agency.created", "Agency created", Permission.AGENCY_VIEW)
AGENCY_CHANGED = _event("agency.changed", "Agency changed", Permission.AGENCY_VIEW)
MEMBER_INVITED = _event("member.invited", "Person invited", Permission.MEMBERS_VIEW)
INVITATION_REVOKED = _event("member.invitation_revoked", "Invitation revoked", Permission.MEMBERS_VIEW)
MEMBER_JOINED = _event("member.joined", "Person joined", Permission.MEMBERS_VIEW)
MEMBER_ROLE_CHANGED = _event("member.role_changed", "Role changed", Permission.MEMBERS_VIEW)
MEMBER_REMOVED = _event("member.removed", "Person removed", Permission.MEMBERS_VIEW)
CLIENT_CREATED = _event("client.created", "Client created", Permission.CLIENTS_VIEW)
CLIENT_CHANGED = _event("client.changed", "Client changed", Permission.CLIENTS_VIEW)
CLIENT_ARCHIVED = _event("client.archived", "Client archived", Permission.CLIENTS_VIEW)
CLIENT_RESTORED = _event("client.restored", "Client restored", Permission.CLIENTS_VIEW)
SITE_CREATED = _event("site.created", "Site created", Permission.SITES_VIEW)
SITE_CHANGED = _event("site.changed", "Site changed", Permission.SITES_VIEW)
SITE_ARCHIVED = _event("site.archived", "Site archived", Permission.SITES_VIEW)
SITE_RESTORED = _event("site.restored", "Site restored", Permission.SITES_VIEW)
PROJECT_CREATED = _event("project.created", "Studio project created", Permission.MODULES_VIEW)
PROJECT_DELETED = _event("project.deleted", "Studio project deleted", Permission.MODULES_VIEW)
PROJECT_RESTORED = _event("project.restored", "Studio project brought back", Permission.MODULES_VIEW)
MODULE_UPLOADED = _event("module.uploaded", "Module version uploaded", Permission.MODULES_VIEW)
MODULE_PUBLISHED = _event("module.published", "Module version published", Permission.MODULES_VIEW)
MODULE_TIER_CHANGED = _event("module.tier_changed", "Module audience changed", Permission.MODULES_VIEW)
MODULE_DRAFT_DELETED = _event("module.draft_deleted", "Draft deleted", Permission.MODULES_VIEW)
MODULE_YANKED = _event("module.yanked", "Module version withdrawn", Permission.MODULES_VIEW)
MODULE_HELD = _event("module.held", "Module version waits for review", Permission.MODULES_VIEW)
MODULE_REVIEW_PASSED = _event("module.review_passed", "Module version passed the review", Permission.MODULES_VIEW)
MODULE_REVIEW_REFUSED = _event("module.review_refused", "Module version refused in review", Permission.MODULES_VIEW)
MODULE_INSTALLED = _event("install.created", "Module installed", Permission.INSTALLS_VIEW)
INSTALL_ACTIVATED = _event("install.activated", "Install ready", Permission.INSTALLS_VIEW, audited=False)
INSTALL_FAILED = _event("install.failed", "Install failed", Permission.INSTALLS_VIEW)
INSTALL_CONFIGURED = _event("install.configured", "Settings changed", Permission.INSTALLS_VIEW)
MODULE_SETTINGS_CHANGED = _event(
    "module.settings_changed", "Settings of a module changed for all sites", Permission.INSTALLS_VIEW
)
INSTALL_PAUSED = _event("install.paused", "Module paused", Permission.INSTALLS_VIEW)
INSTALL_RESUMED = _event("install.resumed", "Module resumed", Permission.INSTALLS_VIEW)
INSTALL_UPGRADED = _event("install.upgraded", "Module upgraded", Permission.INSTALLS_VIEW)
INSTALL_ROLLED_BACK = _event("install.rolled_back", "Module rolled back", Permission.INSTALLS_VIEW)
RECORDS_PUT_BACK = _event("install.records_put_back", "Records put back", Permission.INSTALLS_VIEW)
INSTALL_SETTLED = _event("install.settled", "Upgrade settled", Permission.INSTALLS_VIEW)
TRIAL_STARTED = _event("entitlement.trial_started", "Trial of a priced module begun", Permission.INSTALLS_VIEW)
ENTITLEMENT_ENDING = _event("entitlement.ending", "Trial or grant near its end", Permission.INSTALLS_VIEW)
ENTITLEMENT_ENDED = _event("entitlement.ended", "Trial or grant ended", Permission.INSTALLS_VIEW)
ENTITLEMENT_GRANTED = _event("entitlement.granted", "Leave to use a module given", Permission.INSTALLS_VIEW)
ENTITLEMENT_REVOKED = _event("entitlement.revoked", "Leave to use a module taken back", Permission.INSTALLS_VIEW)
INSTALL_REMOVED = _event("install.removed", "Module removed", Permission.INSTALLS_VIEW)
INSTALL_RESTORED = _event("install.restored", "Module restored", Permission.INSTALLS_VIEW)
FUNCTION_WOKEN = _event("install.function_woken", "Resting function set going again", Permission.INSTALLS_VIEW)
MODULE_ROLE_GIVEN = _event("install.role_given", "Role in a module changed", Permission.MEMBERS_VIEW)
FLEET_RUN_STARTED = _event("fleet.run_started", "Run over many installs started", Permission.INSTALLS_VIEW)
FLEET_RUN_CHANGED = _event(
    "fleet.run_changed", "Run over many installs held, resumed or called off", Permission.INSTALLS_VIEW
)
FLEET_RUN_ENDED = _event("fleet.run_ended", "Run over many installs over", Permission.INSTALLS_VIEW, audited=False)
ROLLOUT_STARTED = _event("fleet.rollout_started", "Release rolls out by itself", Permission.INSTALLS_VIEW)
ROLLOUT_STOPPED = _event("fleet.rollout_stopped", "Rollout of a release stopped", Permission.INSTALLS_VIEW)
ROLLOUT_CHANGED = _event(
    "fleet.rollout_changed", "Rollout of a release resumed or called off", Permission.INSTALLS_VIEW
)
FLEET_POLICY_CHANGED = _event(
    "fleet.policy_changed", "Versions a site takes by itself changed", Permission.INSTALLS_VIEW
)
DOMAIN_ADDED = _event("domain.added", "Domain added", Permission.DOMAINS_VIEW)
DOMAIN_CHANGED = _event("domain.changed", "Domain changed", Permission.DOMAINS_VIEW)
DOMAIN_VERIFIED = _event("domain.verified", "Domain verified", Permission.DOMAINS_VIEW)
DOMAIN_FAILING = _event("domain.failing", "Proof of a domain missing", Permission.DOMAINS_VIEW)
DOMAIN_LOST = _event("domain.lost", "Domain lost", Permission.DOMAINS_VIEW)
DOMAIN_REMOVED = _event("domain.removed", "Domain removed", Permission.DOMAINS_VIEW)
KEY_CREATED = _event("key.created", "API key created", Permission.KEYS_VIEW)
KEY_REVOKED = _event("key.revoked", "API key revoked", Permission.KEYS_VIEW)
EMBED_TOKEN_CREATED = _event("embed_token.created", "Embed token created", Permission.KEYS_VIEW)
EMBED_TOKEN_REVOKED = _event("embed_token.revoked", "Embed token revoked", Permission.KEYS_VIEW)
EMBED_PAGE_CLOSED = _event("embed.page_closed", "Page opens only with a token", Permission.INSTALLS_VIEW)
EMBED_PAGE_OPENED = _event("embed.page_opened", "Page opened to everybody", Permission.INSTALLS_VIEW)
WEBHOOK_CREATED = _event("webhook.created", "Webhook created", Permission.WEBHOOKS_VIEW)
WEBHOOK_CHANGED = _event("webhook.changed", "Webhook changed", Permission.WEBHOOKS_VIEW)
WEBHOOK_DELETED = _event("webhook.deleted", "Webhook deleted", Permission.WEBHOOKS_VIEW)
WEBHOOK_PAUSED = _event("webhook.paused", "Webhook paused", Permission.WEBHOOKS_VIEW)
WEBHOOK_ENABLED = _event("webhook.enabled", "Webhook switched on", Permission.WEBHOOKS_VIEW)
WEBHOOK_DISABLED = _event("webhook.disabled", "Webhook switched off", Permission.WEBHOOKS_VIEW)
WEBHOOK_SECRET_ROTATED = _event("webhook.secret_rotated", "Webhook secret replaced", Permission.WEBHOOKS_VIEW)
WEBHOOK_SECRET_SHOWN = _event("webhook.secret_shown", "Webhook secret shown", Permission.WEBHOOKS_VIEW)
WEBHOOK_SECRET_ENDED = _event("webhook.secret_ended", "Earlier secret of a webhook ended", Permission.WEBHOOKS_VIEW)
WEBHOOK_RESET = _event("webhook.reset", "Webhook set going again", Permission.WEBHOOKS_VIEW)
WEBHOOK_TESTED = _event("webhook.test", "Test event", Permission.WEBHOOKS_VIEW)
APPLICATION_CREATED = _event("application.created", "Application registered", Permission.KEYS_VIEW)
APPLICATION_CHANGED = _event("application.changed", "Application changed", Permission.KEYS_VIEW)
APPLICATION_SECRET_MADE = _event("application.secret_made", "Application got a new secret", Permission.KEYS_VIEW)
APPLICATION_SECRET_ENDED = _event(
    "application.secret_ended", "Earlier secret of an application ended", Permission.KEYS_VIEW
)
APPLICATION_DELETED = _event("application.deleted", "Application deleted", Permission.KEYS_VIEW)
ACCESS_GRANTED = _event("access.granted", "Application let in", Permission.KEYS_VIEW)
ACCESS_REVOKED = _event("access.revoked", "Application shut out", Permission.KEYS_VIEW)
ACCESS_REUSED = _event("access.token_reused", "Used token shown again; application shut out", Permission.KEYS_VIEW)
WEBHOOK_REPLAYED = _event("webhook.replayed", "Events sent again", Permission.WEBHOOKS_VIEW)
SUPPORT_SWITCHED = _event("support.switched", "Support access switched", Permission.SUPPORT_MANAGE)
SUPPORT_ASKED = _event("support.asked", "Support asked for access", Permission.SUPPORT_MANAGE)
SUPPORT_STARTED = _event("support.started", "Support access began", Permission.SUPPORT_MANAGE)
SUPPORT_REFUSED = _event("support.refused", "Support access refused", Permission.SUPPORT_MANAGE)
SUPPORT_ENDED = _event("support.ended", "Support access ended", Permission.SUPPORT_MANAGE)
SUPPORT_VIEWED = _event("support.viewed", "Looked at by support", Permission.SUPPORT_MANAGE)
CONNECTION_CLIENT_CHANGED = _event(
    "connection.client_changed", "Registration of a connection changed", Permission.INSTALLS_VIEW
)
CONNECTION_MADE = _event("connection.made", "Module connected to a service", Permission.INSTALLS_VIEW)
CONNECTION_BROKEN = _event("connection.broken", "Connection of a module died", Permission.INSTALLS_VIEW)
CONNECTION_ENDED = _event("connection.ended", "Module disconnected from a service", Permission.INSTALLS_VIEW)
INBOUND_SECRET_SET = _event("inbound.secret_set", "Secret of an inbound webhook set", Permission.INSTALLS_VIEW)
INBOUND_SECRET_ENDED = _event(
    "inbound.secret_ended", "Earlier secret of an inbound webhook ended", Permission.INSTALLS_VIEW
)
INBOUND_RUN_AGAIN = _event("inbound.run_again", "Inbound message run again", Permission.INSTALLS_VIEW)
BODIES_RECORDED = _event("install.bodies_recorded", "Bodies of calls recorded for an hour", Permission.LOGS_VIEW)
BODIES_NOT_RECORDED = _event("install.bodies_not_recorded", "Recording of bodies ended", Permission.LOGS_VIEW)
CASE_MADE = _event("case.made", "Case bundle made", Permission.LOGS_VIEW)
CASE_OPENED = _event("case.opened", "Case bundle opened", Permission.LOGS_VIEW)
CASE_REVOKED = _event("case.revoked", "Case bundle revoked", Permission.LOGS_VIEW)
AUTOMATION_CREATED = _event("automation.created", "Automation created", Permission.AUTOMATIONS_VIEW)
AUTOMATION_CHANGED = _event("automation.changed", "Automation changed", Permission.AUTOMATIONS_VIEW)
AUTOMATION_DELETED = _event("automation.deleted", "Automation deleted", Permission.AUTOMATIONS_VIEW)
AUTOMATION_ON = _event("automation.switched_on", "Automation switched on", Permission.AUTOMATIONS_VIEW)
AUTOMATION_OFF = _event("automation.switched_off", "Automation switched off", Permission.AUTOMATIONS_VIEW)
RECORDS_EXPORTED = _event("records.exported", "Records exported", Permission.RECORDS_VIEW)
RECORDS_IMPORTED = _event("records.imported", "Records imported", Permission.RECORDS_VIEW)
PAGE_CREATED = _event("page.created", "Page created", Permission.PAGES_VIEW)
PAGE_PUBLISHED = _event("page.published", "Page published", Permission.PAGES_VIEW)
PAGE_PLANNED = _event("page.planned", "Publishing of a page planned or called off", Permission.PAGES_VIEW)
PAGE_UNPUBLISHED = _event("page.unpublished", "Page taken off", Permission.PAGES_VIEW)
PAGE_MOVED = _event("page.moved", "Page address or menu changed", Permission.PAGES_VIEW)
PAGE_DELETED = _event("page.deleted", "Page deleted", Permission.PAGES_VIEW)
PAGE_RESTORED = _event("page.restored", "Page restored", Permission.PAGES_VIEW)
SITE_LOOK_CHANGED = _event("site.look_changed", "Look of a site's pages changed", Permission.PAGES_VIEW)
SITE_REDIRECTS_CHANGED = _event("site.redirects_changed", "Redirects of a site changed", Permission.PAGES_VIEW)
