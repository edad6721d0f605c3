"""'Firefox on Linux' from a User-Agent: enough to recognise one's own devices."""

from __future__ import annotations

from flask import Flask

# in this order: later names stand in the strings of earlier ones (Edge says Chrome, Chrome says Safari)
_BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def device(user_agent: str) -> str:
    """Browser and system in words; the program's own name for anything that is no browser."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), None)
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), None)
    if browser:
        return f"{browser} on {system}" if system else browser
    return user_agent.partition("/")[0][:40] or "Unknown device"


def device_is_phone(user_agent: str) -> bool:
    return any(mark in user_agent for mark in ("iPhone", "Android", "Mobile"))


def register_devices(app: Flask) -> None:
    """Filters `device` and `device_is_phone`."""
    app.jinja_env.filters.update(device=device, device_is_phone=device_is_phone)
