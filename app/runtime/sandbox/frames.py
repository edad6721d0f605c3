"""How the pool and a worker talk: frames of a small JSON head and a body of bytes. Standard library only: both sides load it.

A frame is two lengths (unsigned 32 bits, network order), the head, the body. Every length is checked before anything is
read, and the reader's side sets the limits: the parent trusts nothing that comes out of a worker.
"""

from __future__ import annotations

import json
import socket
import struct
import time
from typing import Any

LENGTHS = struct.Struct("!II")
HEAD_LIMIT = 512 * 1024
TO_WORKER_LIMIT = 6 << 20  # all templates of a package may travel at once
FROM_WORKER_LIMIT = 1 << 20


class BadFrame(Exception):
    """The other side broke the protocol or went away."""


class OutOfTime(Exception):
    """The deadline passed before the frame was complete."""


def encode(head: dict[str, Any], body: bytes = b"") -> bytes:
    data = json.dumps(head).encode()
    return LENGTHS.pack(len(data), len(body)) + data + body


def send(sock: socket.socket, head: dict[str, Any], body: bytes = b"", *, deadline: float | None = None) -> None:
    """Raises BadFrame when the other side is gone, OutOfTime when it does not read. deadline: of time.monotonic()."""
    try:
        _until(sock, deadline)
        sock.sendall(encode(head, body))
    except TimeoutError:
        raise OutOfTime from None
    except OSError as error:
        raise BadFrame(str(error)) from None


def receive(sock: socket.socket, *, body_limit: int, deadline: float | None = None) -> tuple[dict[str, Any], bytes]:
    """The next frame. Raises BadFrame for anything malformed, too long or cut off, OutOfTime at the deadline."""
    sizes = _exactly(sock, LENGTHS.size, deadline)
    head_size, body_size = LENGTHS.unpack(sizes)
    if head_size > HEAD_LIMIT or body_size > body_limit:
        raise BadFrame("a frame is longer than allowed")
    data = _exactly(sock, head_size + body_size, deadline)
    try:
        head = json.loads(data[:head_size])
    except (ValueError, RecursionError):
        raise BadFrame("a head is not JSON") from None
    if not isinstance(head, dict) or not isinstance(head.get("op"), str):
        raise BadFrame("a head has no op")
    return head, data[head_size:]


def _exactly(sock: socket.socket, size: int, deadline: float | None) -> bytes:
    data = b""
    while len(data) < size:
        try:
            _until(sock, deadline)
            part = sock.recv(size - len(data))
        except TimeoutError:
            raise OutOfTime from None
        except OSError as error:
            raise BadFrame(str(error)) from None
        if not part:
            raise BadFrame("the other side is gone")
        data = data + part if data else part
    return data


def _until(sock: socket.socket, deadline: float | None) -> None:
    if deadline is None:
        return  # a worker's socket blocks for ever, and its filter would refuse to change that
    left = deadline - time.monotonic()
    if left <= 0:
        raise OutOfTime
    sock.settimeout(left)
