"""The head of a manifest: what the module needs, asks for and costs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from app.modules.manifest.base import Flag, Help, Label, Name, Part, Whole

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,38}[a-z0-9]$")]
Range = Annotated[str, StringConstraints(min_length=1, max_length=80)]
Scope = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*:[a-z][a-z0-9_]*$", max_length=80)]
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Category = Literal[
    "crm", "sales", "marketing", "analytics", "billing", "invoicing",
    "scheduling", "booking", "inventory", "hr", "project-management",
    "email", "chat", "notifications", "social-media",
    "forms", "blog", "gallery", "video", "documents",
    "ecommerce", "payments", "shipping", "subscriptions",
    "seo", "security", "performance", "integrations", "developer-tools",
    "healthcare", "hospitality", "real-estate", "education", "fitness", "food-beverage",
    "support", "accounting", "other",
]  # fmt: skip


class Requirement(Part):
    """Another module this one works with."""

    module: Slug
    version: Range = "*"
    """The versions that fit, such as ^1.2 or >=1.4 <2."""
    optional: Flag = False
    """The module also works without it."""


class ForeignTable(Part):
    """A table of another module that this one reads or writes."""

    module: Slug
    table: Name
    fields: Annotated[tuple[Name, ...], Field(min_length=1, max_length=150)]
    """The only fields it sees."""
    access: Annotated[tuple[Literal["read", "create", "update", "delete"], ...], Field(min_length=1)] = ("read",)


class NetworkHost(Part):
    """A host the module's functions may call."""

    host: Annotated[str, StringConstraints(min_length=1, max_length=253)]
    """A public host name, such as api.example.com; no scheme, port, path or wildcard."""
    methods: Annotated[tuple[Method, ...], Field(min_length=1)] = ("GET",)
    reason: Help
    """Why, in words an agency owner understands."""


class Permissions(Part):
    """What an agency is asked to agree to when it installs the module."""

    scopes: Annotated[tuple[Scope, ...], Field(max_length=50)] = ()
    optional_scopes: Annotated[tuple[Scope, ...], Field(max_length=50)] = ()
    tables: Annotated[tuple[ForeignTable, ...], Field(max_length=50)] = ()
    network: Annotated[tuple[NetworkHost, ...], Field(max_length=20)] = ()
    email: Flag = False
    """Functions may send e-mail."""
    personal_data: Flag = False
    """The module keeps data about people."""


class Plan(Part):
    """One price of the module."""

    id: Name
    label: Label
    amount: Annotated[Whole, Field(ge=0, le=100_000_000)]
    """In whole minor units: 1900 is 19.00."""
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    """ISO 4217 code."""
    per: Literal["once", "month", "year"]
    trial_days: Annotated[Whole, Field(ge=0, le=365)] = 0
