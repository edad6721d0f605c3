"""Every permission and the one table that says which role has it. docs/permissions.md is generated from here."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    """What a person may do in an agency: `thing:act`."""

    AGENCY_VIEW = "agency:view"
    AGENCY_MANAGE = "agency:manage"
    MEMBERS_VIEW = "members:view"
    MEMBERS_MANAGE = "members:manage"
    OWNERS_MANAGE = "owners:manage"
    CLIENTS_VIEW = "clients:view"
    CLIENTS_MANAGE = "clients:manage"
    SITES_VIEW = "sites:view"
    SITES_MANAGE = "sites:manage"
    PAGES_VIEW = "pages:view"
    PAGES_EDIT = "pages:edit"
    PAGES_PUBLISH = "pages:publish"
    MARKETPLACE_VIEW = "marketplace:view"
    INSTALLS_VIEW = "installs:view"
    INSTALLS_CREATE = "installs:create"
    INSTALLS_CONFIGURE = "installs:configure"
    INSTALLS_REMOVE = "installs:remove"
    FLEET_MANAGE = "fleet:manage"
    RECORDS_VIEW = "records:view"
    RECORDS_EDIT = "records:edit"
    RECORDS_DELETE = "records:delete"
    RECORDS_EXPORT = "records:export"
    MODULES_VIEW = "modules:view"
    MODULES_AUTHOR = "modules:author"
    MODULES_PUBLISH = "modules:publish"
    DOMAINS_VIEW = "domains:view"
    DOMAINS_MANAGE = "domains:manage"
    KEYS_VIEW = "keys:view"
    KEYS_MANAGE = "keys:manage"
    WEBHOOKS_VIEW = "webhooks:view"
    WEBHOOKS_MANAGE = "webhooks:manage"
    AUTOMATIONS_VIEW = "automations:view"
    AUTOMATIONS_MANAGE = "automations:manage"
    ANALYTICS_VIEW = "analytics:view"
    LOGS_VIEW = "logs:view"
    AUDIT_VIEW = "audit:view"
    SUPPORT_MANAGE = "support:manage"

    @property
    def label(self) -> str:
        return LABELS[self]


class StaffPermission(StrEnum):
    """What platform staff may do across agencies."""

    SUPPORT = "staff:support"
    ADMINISTER = "staff:administer"


class Role(StrEnum):
    """A member's role in an agency, from most to least."""

    OWNER = "owner"
    ADMIN = "admin"
    DEVELOPER = "developer"
    MEMBER = "member"
    VIEWER = "viewer"

    @property
    def label(self) -> str:
        return self.value.capitalize()

    @property
    def summary(self) -> str:
        return ROLE_SUMMARIES[self]


LABELS: dict[Permission, str] = {
    Permission.AGENCY_VIEW: "See the agency's name and settings",
    Permission.AGENCY_MANAGE: "Change the agency's name and settings",
    Permission.MEMBERS_VIEW: "See who belongs to the agency",
    Permission.MEMBERS_MANAGE: "Invite people, change roles, remove people",
    Permission.OWNERS_MANAGE: "Make and unmake owners",
    Permission.CLIENTS_VIEW: "See clients",
    Permission.CLIENTS_MANAGE: "Create, edit and archive clients",
    Permission.SITES_VIEW: "See sites",
    Permission.SITES_MANAGE: "Create, edit and archive sites",
    Permission.PAGES_VIEW: "See the pages of sites, drafts included",
    Permission.PAGES_EDIT: "Write pages and restore their versions",
    Permission.PAGES_PUBLISH: "Publish, move and delete pages, change a site's look and redirects",
    Permission.MARKETPLACE_VIEW: "Browse the marketplace",
    Permission.INSTALLS_VIEW: "See what is installed where",
    Permission.INSTALLS_CREATE: "Install modules on sites",
    Permission.INSTALLS_CONFIGURE: "Change an installed module's settings and version",
    Permission.INSTALLS_REMOVE: "Remove modules from sites",
    Permission.FLEET_MANAGE: "Set and lock a module's settings for all sites, and let versions roll out by themselves",
    Permission.RECORDS_VIEW: "See the records of installed modules",
    Permission.RECORDS_EDIT: "Create and change records",
    Permission.RECORDS_DELETE: "Delete records",
    Permission.RECORDS_EXPORT: "Export records",
    Permission.MODULES_VIEW: "See the agency's own modules in the Studio",
    Permission.MODULES_AUTHOR: "Upload and edit modules",
    Permission.MODULES_PUBLISH: "Publish module versions",
    Permission.DOMAINS_VIEW: "See the domains of sites and whether they are verified",
    Permission.DOMAINS_MANAGE: "Add, verify, change and remove domains",
    Permission.KEYS_VIEW: "See API keys (never the secret)",
    Permission.KEYS_MANAGE: "Create and revoke API keys",
    Permission.WEBHOOKS_VIEW: "See webhooks and what was sent to them (never the secret)",
    Permission.WEBHOOKS_MANAGE: "Create, change and delete webhooks, see their secrets, send again",
    Permission.AUTOMATIONS_VIEW: "See automations and what became of their runs",
    Permission.AUTOMATIONS_MANAGE: "Create, change and delete automations, try failed runs again",
    Permission.ANALYTICS_VIEW: "See how much sites and modules are used",
    Permission.LOGS_VIEW: "Read request and function logs",
    Permission.AUDIT_VIEW: "Read the audit trail",
    Permission.SUPPORT_MANAGE: "Let platform support look at the agency, or refuse it",
}

ROLE_SUMMARIES: dict[Role, str] = {
    Role.OWNER: "Everything, including making other owners",
    Role.ADMIN: "Everything except making owners",
    Role.DEVELOPER: "Builds and installs modules, manages keys, reads logs",
    Role.MEMBER: "Works with sites, clients and records",
    Role.VIEWER: "Looks, changes nothing",
}

_VIEWS = {
    Permission.AGENCY_VIEW,
    Permission.MEMBERS_VIEW,
    Permission.CLIENTS_VIEW,
    Permission.SITES_VIEW,
    Permission.PAGES_VIEW,
    Permission.MARKETPLACE_VIEW,
    Permission.INSTALLS_VIEW,
    Permission.RECORDS_VIEW,
    Permission.DOMAINS_VIEW,
    Permission.ANALYTICS_VIEW,
}
_PAGES = {Permission.PAGES_EDIT, Permission.PAGES_PUBLISH}
_RECORDS = {Permission.RECORDS_EDIT, Permission.RECORDS_DELETE, Permission.RECORDS_EXPORT}

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.OWNER: frozenset(Permission),
    Role.ADMIN: frozenset(Permission) - {Permission.OWNERS_MANAGE},
    Role.DEVELOPER: frozenset(
        _VIEWS
        | _RECORDS
        | _PAGES
        | {
            Permission.SITES_MANAGE,
            Permission.INSTALLS_CREATE,
            Permission.INSTALLS_CONFIGURE,
            Permission.INSTALLS_REMOVE,
            Permission.MODULES_VIEW,
            Permission.MODULES_AUTHOR,
            Permission.MODULES_PUBLISH,
            Permission.DOMAINS_MANAGE,
            Permission.KEYS_VIEW,
            Permission.KEYS_MANAGE,
            Permission.WEBHOOKS_VIEW,
            Permission.WEBHOOKS_MANAGE,
            Permission.AUTOMATIONS_VIEW,
            Permission.AUTOMATIONS_MANAGE,
            Permission.LOGS_VIEW,
        }
    ),
    Role.MEMBER: frozenset(_VIEWS | _RECORDS | _PAGES | {Permission.CLIENTS_MANAGE, Permission.SITES_MANAGE}),
    Role.VIEWER: frozenset(_VIEWS),
}

# What platform staff may see of an agency that lets them in: no records, no exports, nothing that shows or changes a secret.
SUPPORT_PERMISSIONS: frozenset[Permission] = frozenset(
    (_VIEWS - {Permission.RECORDS_VIEW})
    | {
        Permission.MODULES_VIEW,
        Permission.KEYS_VIEW,
        Permission.WEBHOOKS_VIEW,
        Permission.LOGS_VIEW,
        Permission.AUDIT_VIEW,
    }
)

STAFF_PERMISSIONS: dict[str, frozenset[StaffPermission]] = {
    "support": frozenset({StaffPermission.SUPPORT}),
    "administrator": frozenset(StaffPermission),
}
