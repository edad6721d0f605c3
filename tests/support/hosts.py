"""Other people's web sites: pages of a test at host names of this machine, each host an origin of its own.

Browsers take every name below .localhost for this machine, so `shop.localhost` and `elsewhere.localhost` are strangers to each
other and to the product, on one server.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Hosts:
    """The server. pages: {path: (HTML or script, headers)}, the same at every host."""

    port: int
    pages: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)

    def origin(self, host: str) -> str:
        return f"http://{host}.localhost:{self.port}"

    def put(self, path: str, body: str, *, policy: str = "", scripts: str = "") -> str:
        """Put an HTML page at a path. policy: its content security policy; scripts: what its /….js holds, if anything."""
        script = f'<script src="{path}.js"></script>' if scripts else ""
        html = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>A site</title><body>{body}{script}</body></html>'
        self.pages[path] = (
            html,
            {"Content-Type": "text/html", **({"Content-Security-Policy": policy} if policy else {})},
        )
        self.pages[f"{path}.js"] = (scripts, {"Content-Type": "text/javascript"})
        return path


@contextmanager
def serving() -> Iterator[Hosts]:
    """Serve until the block ends."""
    hosts = Hosts(0)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            found = hosts.pages.get(self.path.partition("?")[0])
            content = (found[0] if found else "").encode()
            self.send_response(200 if found else 404)
            for name, value in (found[1] if found else {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hosts.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield hosts
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
