"""What people read for the marketplace's categories, types, prices and capabilities."""

from __future__ import annotations

from typing import get_args

from app.modules.manifest import Capability
from app.modules.manifest.head import Category
from app.modules.manifest.model import ModuleType

CATEGORIES: tuple[str, ...] = get_args(Category)
TYPES: tuple[str, ...] = get_args(ModuleType)
PRICES = ("free", "trial", "paid")
RATINGS = ("4", "3", "2", "1")
CAPABILITIES: tuple[str, ...] = tuple(str(one) for one in Capability)

_WRITTEN = {
    "crm": "CRM", "hr": "HR", "seo": "SEO", "ecommerce": "E-commerce", "email": "E-mail", "food-beverage": "Food and drink",
    "trial": "Free trial", "custom": "Made to measure", "system": "Part of the platform",
}  # fmt: skip
_CAPABILITIES = {
    "data": "Keeps records",
    "screens": "Screens for staff",
    "pages": "Pages for visitors",
    "embeds": "Embeds on any site",
    "functions": "Functions",
    "api": "Routes of its own",
    "hooks": "Checks what is saved",
    "events": "Events of its own",
    "jobs": "Works by the clock",
    "roles": "Roles of its own",
    "settings": "Settings",
    "network": "Talks to other services",
    "connections": "Acts for you at other services",
    "inbound": "Takes webhooks of other services",
    "foreign_data": "Works with other modules",
    "email": "Sends e-mail",
}


def written(value: str) -> str:
    """A category, type or price as people read it: `real-estate` is "Real estate"."""
    return _WRITTEN.get(value) or value.replace("-", " ").capitalize()


def capability(value: str) -> str:
    return _CAPABILITIES[value]


def rating(value: str) -> str:
    return f"{value} stars and up" if value != "1" else "Rated at all"
