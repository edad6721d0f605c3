"""Which hosts a package has declared, and whether an address leads elsewhere."""

from __future__ import annotations

from urllib.parse import urlsplit

from app.modules.manifest import Manifest


def declared_hosts(manifest: Manifest) -> frozenset[str]:
    """The hosts of permissions.network and of connections, in lower case."""
    network = {item.host.lower() for item in manifest.permissions.network}
    return frozenset(network.union(*({host.lower() for host in one.hosts} for one in manifest.connections.values())))


def foreign_host(address: str) -> str:
    """The host of an absolute or protocol-relative http address in lower case; "" for any other, and for templates."""
    text = address.strip()
    if not text.lower().startswith(("http://", "https://", "//")):
        return ""
    try:
        host = urlsplit(text if "://" in text else f"https:{text}").hostname or ""
    except ValueError:
        return ""
    return "" if "{" in host else host.lower()
