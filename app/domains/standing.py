"""Whether a customer's host leads here, and which certificate visitors are shown there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from app.domains.hosts import is_loopback, is_registrable
from app.domains.models import Domain
from app.lib.http_out import Egress
from app.lib.judged import OutgoingFailed
from app.lib.names import Names

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Front:
    """Where customers' hosts have to lead. target: a host for aliases, "" for none; addresses: where it is, () as its name says."""

    target: str
    addresses: tuple[str, ...] = ()

    def records(self, host: str) -> list[tuple[str, str]]:
        """(type, value) of the records a host needs: an alias, or addresses for a name that can be none."""
        if self.target and not (is_registrable(host) and self.addresses):
            return [("ALIAS" if is_registrable(host) else "CNAME", self.target)]
        return [("AAAA" if ":" in address else "A", address) for address in self.addresses]


def hosts_of(domain: Domain) -> list[str]:
    """Every host that a domain answers for visitors at; none when it is for embedding alone."""
    if not {"pages", "platform"} & set(domain.purposes) or is_loopback(domain.host):
        return []
    return [domain.host] if domain.www == "none" else [domain.host, f"www.{domain.host}"]


def look_at_hosts(
    hosts: Iterable[str], *, front: Front, names: Names, outside: Egress, port: int = 443
) -> list[dict[str, Any]]:
    """[{host, address: {state, values}, certificate: {state, issuer, until, detail}}]; no certificate before it leads here."""
    expected = set(front.addresses) or set(names.addresses(front.target).values if front.target else ())
    found = []
    for host in hosts:
        address = _address(names, host, expected)
        leads_here = address["state"] in ("here", "partly")
        found.append(
            {"host": host, "address": address, "certificate": _certificate(outside, host, port) if leads_here else None}
        )
    return found


def _address(names: Names, host: str, expected: set[str]) -> dict[str, Any]:
    """state: here, partly (some addresses are another server's), elsewhere, absent or silent. values: of the others."""
    reply = names.addresses(host)
    if not reply.values:
        return {"state": reply.state, "values": []}
    others = sorted(set(reply.values) - expected)
    state = "here" if not others else "partly" if set(reply.values) & expected else "elsewhere"
    return {"state": state, "values": others[:SHOWN]}


def _certificate(outside: Egress, host: str, port: int) -> dict[str, Any]:
    """state: valid, or "invalid" with what is wrong, or "none" with why there is no answer."""
    try:
        found = outside.certificate(host, port=port)
    except OutgoingFailed as error:
        return {
            "state": "invalid" if error.kind == "tls" else "none",
            "detail": str(error) if error.kind == "tls" else error.kind,
        }
    return {"state": "valid", "issuer": found.issuer, "until": found.expires_at.isoformat()}
