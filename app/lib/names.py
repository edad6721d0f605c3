"""Questions to the name servers: TXT, addresses, the aliases in between. The servers are configured, never chosen by who asks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import dns.exception
import dns.name
import dns.nameserver
import dns.resolver

from app.lib.judged import OutgoingFailed

TIMEOUT_S = 6.0
MAX_ALIASES = 5


@dataclass(frozen=True, slots=True)
class Reply:
    """state "absent": the name servers say that there is none; "silent": they say nothing that can be relied on.

    aliases: the names a CNAME led through, without their final dot.
    """

    state: Literal["found", "absent", "silent"]
    values: list[str] = field(default_factory=list)
    aliases: list[str] = field(default_factory=list)


class Names:
    """A resolver over the given servers (address, port), over the system's when there are none. Thread-safe.

    Answers that do not fit into a datagram are asked for again by TCP; no search domains are added.
    """

    def __init__(self, servers: Iterable[tuple[str, int]] = ()) -> None:
        self.servers = tuple(servers)

    @cached_property
    def _resolver(self) -> dns.resolver.Resolver:
        resolver = dns.resolver.Resolver(configure=not self.servers)
        if self.servers:
            resolver.nameservers = [dns.nameserver.Do53Nameserver(*one) for one in self.servers]
        resolver.search, resolver.domain = [], dns.name.root
        resolver.cache, resolver.lifetime, resolver.timeout = None, TIMEOUT_S, TIMEOUT_S / 3
        return resolver

    def txt(self, name: str) -> Reply:
        """The texts of a name, each with its parts joined."""
        reply, answer = self._ask(name, "TXT")
        if answer is None:
            return reply
        texts = [b"".join(row.strings).decode("utf-8", "replace") for row in answer]
        return Reply("found", texts, reply.aliases)

    def addresses(self, name: str) -> Reply:
        """IPv4 and IPv6 addresses of a name."""
        replies = [self._ask(name, kind) for kind in ("A", "AAAA")]
        values = [row.address for _, answer in replies if answer is not None for row in answer]
        aliases = next((reply.aliases for reply, _ in replies if reply.aliases), [])
        if values:
            return Reply("found", values, aliases)
        silent = any(reply.state == "silent" for reply, _ in replies)
        return Reply("silent" if silent else "absent", [], aliases)

    def resolve(self, host: str, port: int) -> list[str]:
        """As an Egress wants it. Raises OutgoingFailed("dns")."""
        reply = self.addresses(host)
        if not reply.values:
            raise OutgoingFailed("dns", "The host name cannot be resolved.")
        return reply.values

    def _ask(self, name: str, kind: str) -> tuple[Reply, dns.resolver.Answer | None]:
        try:
            answer = self._resolver.resolve(f"{name}.", kind, raise_on_no_answer=False, search=False)
        except dns.resolver.NXDOMAIN:
            return Reply("absent"), None
        except (dns.exception.DNSException, OSError):
            return Reply("silent"), None
        aliases = [str(row.target).rstrip(".").lower() for one in answer.chaining_result.cnames for row in one]
        if len(aliases) > MAX_ALIASES:
            return Reply("silent", [], aliases), None
        if answer.rrset is None:
            return Reply("absent", [], aliases), None
        return Reply("found", [], aliases), answer
