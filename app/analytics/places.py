"""Countries of addresses, from a database file that the operator has a licence for; without one nothing is said of countries."""

from __future__ import annotations

import logging
from ipaddress import ip_address
from pathlib import Path

import maxminddb

log = logging.getLogger(__name__)


class Countries:
    """path: a MaxMind DB (.mmdb) with country.iso_code, None for none. Opened when first asked, one map of the file per process."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._reader: maxminddb.Reader | None = None

    def of(self, address: str) -> str:
        """ISO 3166 code of where an address is registered, such as PT; "" when that is not known."""
        if self.path is None:
            return ""
        try:
            if self._reader is None:
                self._reader = maxminddb.open_database(self.path)
            found = self._reader.get(ip_address(address))
        except (ValueError, OSError, maxminddb.InvalidDatabaseError) as error:
            log.debug("no country: %s", error)
            return ""
        country = found.get("country") if isinstance(found, dict) else None
        code = country.get("iso_code") if isinstance(country, dict) else None
        return code if isinstance(code, str) and len(code) == 2 else ""
