"""Receivers of webhooks of six tempers in one small server: `python -m bench.receivers FOLDER`.

Its port stands in FOLDER/port once it listens; FOLDER/arrivals gets a line `place event seconds-since-1970` for each call it
took. The path of a call is its place: /healthy-3, /failing-0 …

healthy    takes every call
distant    takes every call, 40 ms later: as one does that is not on this machine
failing    refuses every second event at its first call (500)
vanishing  takes every second event at its first call and hangs up without a word
slow       takes nothing within the 15 s a caller waits
redirecting  sends every call to /elsewhere, which nobody should follow
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TextIO

SLOW_S, DISTANT_S = 16, 0.04
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
REFUSED = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
MOVED = b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"


class Receivers:
    """seen: how often each event was brought to each place."""

    def __init__(self, arrivals: TextIO) -> None:
        self.arrivals = arrivals
        self.seen: Counter[tuple[str, str]] = Counter()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (call := await _read(reader)) is not None:
                answer = await self.answer(*call)
                if not answer:
                    return
                writer.write(answer)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            return  # the caller was killed
        finally:
            writer.close()

    async def answer(self, place: str, event: str) -> bytes:
        """What it answers; nothing for hanging up."""
        temper = place.partition("-")[0]
        self.seen[place, event] += 1
        first = self.seen[place, event] == 1 and int(event[-2:], 36) % 2 == 0
        if temper == "slow":
            await asyncio.sleep(SLOW_S)
            return OK
        if temper == "distant":
            await asyncio.sleep(DISTANT_S)
        if temper == "redirecting":
            return MOVED
        if temper == "failing" and first:
            return REFUSED
        self.arrivals.write(f"{place} {event} {time.time():.6f}\n")
        return b"" if temper == "vanishing" and first else OK


async def _read(reader: asyncio.StreamReader) -> tuple[str, str] | None:
    """(place, event) of the next request; None when the caller is gone."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    except asyncio.IncompleteReadError:
        return None
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    await reader.readexactly(int(headers.get("content-length", "0")))
    return head[0].split(" ")[1].lstrip("/"), headers.get("webhook-id", "")


async def main(folder: Path) -> None:
    with open(folder / "arrivals", "w", buffering=1) as arrivals:
        server = await asyncio.start_server(Receivers(arrivals).serve, "127.0.0.1", 0, backlog=1024)
        (folder / "port.part").write_text(str(server.sockets[0].getsockname()[1]))
        (folder / "port.part").rename(folder / "port")
        async with server:
            await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
