"""The manifest as a whole."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints

from app.modules.manifest.base import Label, Name, Part
from app.modules.manifest.connections import Connection
from app.modules.manifest.head import Category, Permissions, Plan, Range, Requirement, Slug
from app.modules.manifest.inbound import Inbound
from app.modules.manifest.order import put_back_order, with_order
from app.modules.manifest.pages import EventName, Function, Job, Page, PageName, Role, TableHook
from app.modules.manifest.settings import SettingsGroup, SettingSpec
from app.modules.manifest.tables import Table
from app.modules.manifest.views import View
from app.modules.naming import own_events

Locale = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?$")]
ModuleType = Literal["widget", "app", "integration", "system", "custom"]


class Capability(StrEnum):
    """What a module can do, derived from what it holds."""

    DATA = "data"
    SCREENS = "screens"
    PAGES = "pages"
    EMBEDS = "embeds"
    FUNCTIONS = "functions"
    API = "api"
    HOOKS = "hooks"
    EVENTS = "events"
    JOBS = "jobs"
    ROLES = "roles"
    SETTINGS = "settings"
    NETWORK = "network"
    FOREIGN_DATA = "foreign_data"
    EMAIL = "email"
    CONNECTIONS = "connections"
    INBOUND = "inbound"


_EVERYTHING = frozenset(Capability)
ALLOWED: dict[str, frozenset[Capability]] = {
    # A widget shows something on a page and keeps nothing of its own.
    "widget": _EVERYTHING
    - {
        Capability.DATA,
        Capability.SCREENS,
        Capability.HOOKS,
        Capability.EVENTS,
        Capability.JOBS,
        Capability.ROLES,
        Capability.EMAIL,
        Capability.CONNECTIONS,
        Capability.INBOUND,
    },
    # An integration connects; it does not run a team's work, so it brings no roles and refuses no one's writes.
    "integration": _EVERYTHING - {Capability.ROLES, Capability.HOOKS},
    "app": _EVERYTHING,
    "system": _EVERYTHING,
    "custom": _EVERYTHING,
}


class Manifest(Part):
    """A Dramac module, format 1."""

    manifest: Literal[1]
    """The version of this format."""
    slug: Slug
    """The module's name in addresses; it never changes."""
    name: Label
    summary: Annotated[str, StringConstraints(min_length=1, max_length=140)]
    """One sentence for the marketplace."""
    category: Category = "other"
    icon: Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_./-]*$", max_length=100)] | None = None
    """A file of the package, such as icon.svg, or the name of an icon of the platform."""
    license: Annotated[str, StringConstraints(min_length=1, max_length=60)] = "proprietary"
    """An SPDX identifier, or proprietary."""
    version: Annotated[str, StringConstraints(max_length=60)]
    """Semantic Versioning 2.0.0, such as 1.4.0."""
    type: ModuleType
    """What sort of module it is; each sort allows a set of capabilities."""
    platform: Range = "*"
    """The versions of Dramac it runs on, such as >=1.0 <2."""
    locales: Annotated[tuple[Locale, ...], Field(max_length=40)] = ()
    """The languages of locales/, the module's own first."""
    requires: Annotated[tuple[Requirement, ...], Field(max_length=20)] = ()
    permissions: Permissions = Permissions()
    connections: Annotated[dict[Name, Connection], Field(max_length=10)] = Field(default_factory=dict)
    """Services that functions call in the name of whoever connects them."""
    inbound: Annotated[dict[Name, Inbound], Field(max_length=20)] = Field(default_factory=dict)
    """Messages that other services send, signed, to an address of each install."""
    pricing: Annotated[tuple[Plan, ...], Field(max_length=10)] = ()
    """What it costs; absent is free."""
    tables: Annotated[dict[Name, Table], Field(max_length=60)] = Field(default_factory=dict)
    views: Annotated[dict[Name, View], Field(max_length=120)] = Field(default_factory=dict)
    menu: Annotated[tuple[Name, ...], Field(max_length=40)] = ()
    """Views in the order of the menu; a table without a view of its name gets its list."""
    pages: Annotated[dict[PageName, Page], Field(max_length=100)] = Field(default_factory=dict)
    functions: Annotated[dict[Name, Function], Field(max_length=200)] = Field(default_factory=dict)
    jobs: Annotated[dict[Name, Job], Field(max_length=50)] = Field(default_factory=dict)
    events: Annotated[tuple[EventName, ...], Field(max_length=200)] = ()
    """Events of its own; <one>.created, .updated and .deleted of its tables come by themselves."""
    roles: Annotated[dict[Name, Role], Field(max_length=20)] = Field(default_factory=dict)
    settings: Annotated[tuple[SettingsGroup, ...], Field(max_length=20)] = ()

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What the module can do, derived from what it holds."""
        functions = self.functions.values()
        found = {
            Capability.DATA: self.tables,
            Capability.SCREENS: self.views or self.menu,
            Capability.PAGES: self.pages,
            Capability.EMBEDS: any(page.modes for page in self.pages.values()),
            Capability.FUNCTIONS: self.functions,
            Capability.API: any(function.route for function in functions),
            Capability.HOOKS: any(isinstance(function.on, TableHook) for function in functions),
            Capability.EVENTS: self.events,
            Capability.JOBS: self.jobs,
            Capability.ROLES: self.roles,
            Capability.SETTINGS: self.settings,
            Capability.NETWORK: self.permissions.network,
            Capability.FOREIGN_DATA: self.permissions.tables,
            Capability.EMAIL: self.permissions.email,
            Capability.CONNECTIONS: self.connections,
            Capability.INBOUND: self.inbound,
        }
        return frozenset(capability for capability, present in found.items() if present)

    @property
    def own_events(self) -> tuple[str, ...]:
        """Every event the module can send: those of its tables, then the declared ones."""
        implied = [event for name, table in self.tables.items() for event in own_events(name, table)]
        return tuple(dict.fromkeys((*implied, *self.events)))

    @property
    def setting_fields(self) -> dict[str, SettingSpec]:
        """Every setting by name, across the groups, in order."""
        return {name: field for group in self.settings for name, field in group.fields.items()}

    def to_dict(self) -> dict[str, Any]:
        """The manifest as JSON for storing: what was written, and `$order`, as jsonb forgets the order of keys."""
        return with_order(self.model_dump(mode="json", by_alias=True, exclude_unset=True))

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The manifest of to_dict(), keys back in their order. Not for outside text: that goes to load_manifest."""
        return cls.model_validate(put_back_order(data))
