"""A database of addresses in the MaxMind DB format, version 2.0, as small as a test needs it (https://maxmind.github.io/MaxMind-DB/)."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

_MARK = b"\xab\xcd\xefMaxMind.com"
_SIZE = 24  # bits of each half of a node
_KINDS = {  # whole numbers of what a file says about itself; others are of 32 bits
    "record_size": 5, "ip_version": 5, "binary_format_major_version": 5, "binary_format_minor_version": 5, "build_epoch": 9,
}  # fmt: skip


def address_database(networks: Mapping[str, Any]) -> bytes:
    """An IPv6 tree that says `networks[network]` of each address in a network; IPv4 stands at ::/96, as the format wants it."""
    nodes: list[list[int | bytes | None]] = [[None, None]]
    for text, value in networks.items():
        bits = _bits(ip_network(text))
        here = 0
        for bit in bits[:-1]:
            below = nodes[here][bit]
            if not isinstance(below, int):
                nodes.append([below, below])  # a wider network goes on on both sides
                nodes[here][bit] = below = len(nodes) - 1
            here = below
        nodes[here][bits[-1]] = _value(value)
    data, places = b"", dict[bytes, int]()
    for leaf in (side for node in nodes for side in node if isinstance(side, bytes)):
        if leaf not in places:
            places[leaf] = len(data)
            data += leaf
    tree = b"".join(_number(side, len(nodes), places) for node in nodes for side in node)
    about: dict[str, Any] = {
        "node_count": len(nodes), "record_size": _SIZE, "ip_version": 6, "database_type": "Test-Country", "languages": [],
        "binary_format_major_version": 2, "binary_format_minor_version": 0, "build_epoch": 1_700_000_000, "description": {},
    }  # fmt: skip
    return tree + bytes(16) + data + _MARK + _value(about)


def _bits(network: IPv4Network | IPv6Network) -> list[int]:
    length = network.prefixlen + (96 if network.version == 4 else 0)
    return [int(bit) for bit in f"{int(network.network_address):0128b}"[:length]]


def _number(side: int | bytes | None, nodes: int, places: Mapping[bytes, int]) -> bytes:
    """A node's number, the number of nodes for nothing, or where a value stands behind the tree."""
    found = nodes if side is None else side if isinstance(side, int) else nodes + 16 + places[side]
    return found.to_bytes(_SIZE // 8, "big")


def _value(value: Any, name: str = "") -> bytes:
    """A field of the data section: the type in three bits, the size in five; both go on in further bytes where they must."""
    if isinstance(value, str):
        return _head(2, len(value.encode())) + value.encode()
    if isinstance(value, dict):
        return _head(7, len(value)) + b"".join(_value(key) + _value(one, key) for key, one in value.items())
    if isinstance(value, list):
        return _head(11, len(value)) + b"".join(_value(one) for one in value)
    kind = _KINDS.get(name, 6)
    raw = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return _head(kind, len(raw)) + raw


def _head(kind: int, size: int) -> bytes:
    assert size < 29 + 256
    short, more = (size, b"") if size < 29 else (29, bytes([size - 29]))
    return bytes([kind << 5 | short]) + more if kind < 8 else bytes([short, kind - 7]) + more
