"""A load generator: raw requests over kept connections, one event loop. Used where wrk is not installed.

    python -m bench.load PORT CONNECTIONS SECONDS < requests.json      (a JSON list of whole requests as text)

Prints {"rps", "p50_ms", "p99_ms", "failed"}. Requests are sent in turn; the next follows its answer at once.
"""

from __future__ import annotations

import json
import re
import selectors
import socket
import sys
import time
from itertools import cycle

_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)


def run(port: int, connections: int, seconds: float, requests: list[bytes]) -> dict[str, float]:
    """Send for `seconds`; answers are read to their end and their status is looked at."""
    waiting, taken, failed = cycle(requests), [], 0
    selector = selectors.DefaultSelector()
    started: dict[int, float] = {}
    buffers: dict[int, bytes] = {}
    for _ in range(connections):
        one = socket.create_connection(("127.0.0.1", port))
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(one, selectors.EVENT_READ, one)
        buffers[one.fileno()] = b""
        started[one.fileno()] = time.perf_counter()
        one.sendall(next(waiting))
    end = time.perf_counter() + seconds
    while (now := time.perf_counter()) < end:
        for key, _ in selector.select(timeout=0.5):
            got = buffers[key.fd] + key.data.recv(262_144)
            head = got.find(b"\r\n\r\n")
            if head < 0 or (length := _LENGTH.search(got, 0, head)) is None or len(got) < head + 4 + int(length[1]):
                buffers[key.fd] = got
                continue
            now = time.perf_counter()
            taken.append(now - started[key.fd])
            failed += got[9:10] != b"2"
            buffers[key.fd], started[key.fd] = b"", now
            key.data.sendall(next(waiting))
    for key in list(selector.get_map().values()):
        key.data.close()
    taken.sort()
    return {
        "rps": len(taken) / seconds,
        "p50_ms": taken[len(taken) // 2] * 1000 if taken else 0.0,
        "p99_ms": taken[len(taken) * 99 // 100] * 1000 if taken else 0.0,
        "failed": failed,
    }


if __name__ == "__main__":
    port, connections, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    requests = [text.encode() for text in json.load(sys.stdin)]
    print(json.dumps(run(port, connections, seconds, requests)))
