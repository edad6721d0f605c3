"""A Chromium that sees one page at a time and no network: started over a pipe, killed afterwards. No dependency but the program.

Every request is answered from what the caller hands in, or fails; no script of a page runs. As root it is started as nobody.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import pwd
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MACOS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
PLAYWRIGHT = ("chromium-*/chrome-linux*/chrome", "chromium-*/chrome-mac*/*.app/Contents/MacOS/*")
ORIGIN = "https://page.invalid"  # of a name that nobody can have (RFC 6761)
POLICY = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
    "base-uri 'none'; form-action 'none'"
)
MOST_BYTES = 64 << 20  # of one answer of the browser
_QUIET = (
    "--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--no-default-browser-check", "--mute-audio",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
    "--disable-dev-shm-usage", "--remote-debugging-pipe", "--js-flags=--max-old-space-size=256",
    # beside the answers below: no name is found, and every connection, also to this machine, goes to a proxy that is none
    "--host-resolver-rules=MAP * ~NOTFOUND", "--proxy-server=127.0.0.1:9", "--proxy-bypass-list=<-loopback>",
)  # fmt: skip
# The browser reads orders from its file 3 and writes answers to its file 4; argv: those two as they are now, user, group, it.
_WITH_PIPES = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.dup2(int(sys.argv[2]), 4)
if user := int(sys.argv[3]):
    os.setgroups([])
    os.setgid(int(sys.argv[4]))
    os.setuid(user)
os.execv(sys.argv[5], sys.argv[5:])
"""


class BrowserFailed(Exception):
    """It did not start, did not answer in time, or went away."""


def candidates(downloads: Path | None = None) -> Iterator[str]:
    """Paths where a Chromium may be, the best first. downloads: where Playwright keeps its own, if not where it usually does."""
    for name in NAMES:
        if path := shutil.which(name):
            yield path
    yield from (path for path in MACOS if Path(path).exists())
    usual = Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "ms-playwright"
    for pattern in PLAYWRIGHT:
        yield from (str(path) for path in sorted((downloads or usual).glob(pattern), reverse=True))


def starts(path: str) -> bool:
    """Whether it runs at all: Ubuntu's chromium-browser may be a note that a snap is missing, a download may lack libraries."""
    try:
        answer = subprocess.run([path, "--version"], capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0


@cache
def find_browser() -> str | None:
    """The path of a Chromium that starts, None where there is none. Looked for once per process."""
    return next((path for path in candidates() if starts(path)), None)


Resource = tuple[str, bytes]
"""(media type, content)."""


@dataclass
class Window:
    """The one page of a browser. given: what its next requests are answered with, None fails them."""

    _send: Callable[[str, dict[str, Any], str], Any]
    _session: str
    given: Callable[[str], Resource | None] = field(default=lambda path: None)

    def show(self, html: str, given: Callable[[str], Resource | None]) -> None:
        """Load a document; given(path) gives the style sheets and pictures it asks for at its own origin."""
        document = ("text/html; charset=utf-8", html.encode())
        self.given = lambda path: document if path == "/" else given(path)
        self._send("Page.navigate", {"url": f"{ORIGIN}/"}, self._session)

    def run(self, script: str) -> Any:
        """The JSON that a script of ours gives, a promise of it awaited; in a world that the page's own cannot reach."""
        tree = self._send("Page.getFrameTree", {}, self._session)
        world = self._send(
            "Page.createIsolatedWorld", {"frameId": tree["frameTree"]["frame"]["id"], "worldName": "ours"}, self._session
        )  # fmt: skip
        told = self._send(
            "Runtime.evaluate",
            {
                "expression": script,
                "contextId": world["executionContextId"],
                "awaitPromise": True,
                "returnByValue": True,
            },
            self._session,
        )
        if "exceptionDetails" in told:
            raise BrowserFailed(str(told["exceptionDetails"].get("text", "a script failed")))
        return told["result"].get("value")


@contextmanager
def browser(path: str, *, within_s: float, width: int = 1280, height: int = 900) -> Iterator[Window]:
    """A window of a browser that lives `within_s` at most, whatever happens. Raises BrowserFailed."""
    with tempfile.TemporaryDirectory(prefix="dramac-browser-", ignore_cleanup_errors=True) as folder:
        talk = _Talk(path, Path(folder), deadline=time.monotonic() + within_s)
        try:
            yield talk.window(width, height)
        finally:
            talk.end()


class _Talk:
    """The devtools protocol over two pipes: JSON, each message ended by a zero byte."""

    def __init__(self, path: str, folder: Path, *, deadline: float) -> None:
        self.deadline, self._number, self._left = deadline, 0, b""
        self._page: Window | None = None
        orders, self._orders = os.pipe()
        self._answers, answers = os.pipe()
        theirs = [fcntl.fcntl(one, fcntl.F_DUPFD, 20) for one in (orders, answers)]  # clear of the numbers they get
        os.close(orders)
        os.close(answers)
        user, group = _stand_in(path, folder)
        command = [sys.executable, "-Ic", _WITH_PIPES, *map(str, (*theirs, user, group)), path, *_QUIET]
        if os.geteuid() == 0 and not user:
            command.append("--no-sandbox")  # its own sandbox refuses root
        try:
            self.process = subprocess.Popen(
                [*command, f"--user-data-dir={folder}/profile", "about:blank"],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, pass_fds=theirs,
                start_new_session=True, cwd=folder, env={"PATH": os.defpath, "HOME": str(folder)},
            )  # fmt: skip
        except OSError as error:
            self._close()
            raise BrowserFailed(f"it does not start: {error}") from None
        finally:
            for one in theirs:
                os.close(one)

    def window(self, width: int, height: int) -> Window:
        target = self.send("Target.createTarget", {"url": "about:blank"})
        session = self.send("Target.attachToTarget", {"targetId": target["targetId"], "flatten": True})["sessionId"]
        self._page = page = Window(self.send, session)
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.send("Emulation.setDeviceMetricsOverride", size, session)
        self.send("Fetch.enable", {"patterns": [{"urlPattern": "*"}]}, session)
        self.send("Page.enable", {}, session)
        return page

    def send(self, method: str, params: dict[str, Any], session: str = "") -> Any:
        """What the browser answers. While it is waited for, requests of the page are answered; of Page.navigate the load."""
        number = self._write(method, params, session)
        found: Any = None
        for message in self._read():
            if message.get("method") == "Fetch.requestPaused":
                self._answer(message["params"], message.get("sessionId", ""))
            elif message.get("method") == "Page.loadEventFired" and found is not None:
                return found
            elif message.get("id") == number:
                if "error" in message or message.get("result", {}).get("errorText"):
                    raise BrowserFailed(str(message.get("error") or message["result"]["errorText"]))
                found = message["result"]
                if method != "Page.navigate":
                    return found
        raise BrowserFailed("it went away")

    def _answer(self, asked: dict[str, Any], session: str) -> None:
        request, place = asked["request"], urlsplit(asked["request"]["url"])
        ours = request["method"] == "GET" and f"{place.scheme}://{place.netloc}" == ORIGIN
        given = self._page.given(place.path) if ours and self._page else None
        if given is None:
            self._write("Fetch.failRequest", {"requestId": asked["requestId"], "errorReason": "AccessDenied"}, session)
            return
        headers = [
            ("Content-Type", given[0]),
            ("Content-Security-Policy", POLICY),
            ("Access-Control-Allow-Origin", "*"),
        ]
        self._write(
            "Fetch.fulfillRequest",
            {
                "requestId": asked["requestId"], "responseCode": 200, "body": base64.b64encode(given[1]).decode(),
                "responseHeaders": [{"name": name, "value": value} for name, value in headers],
            },
            session,
        )  # fmt: skip

    def _write(self, method: str, params: dict[str, Any], session: str) -> int:
        self._number += 1
        message = {"id": self._number, "method": method, "params": params} | ({"sessionId": session} if session else {})
        waiting = memoryview(json.dumps(message).encode() + b"\0")
        os.set_blocking(self._orders, False)
        try:
            while waiting:
                self._until([], [self._orders])
                waiting = waiting[os.write(self._orders, waiting) :]
        except BrokenPipeError:
            raise BrowserFailed("it went away") from None
        return self._number

    def _read(self) -> Iterator[dict[str, Any]]:
        while True:
            while b"\0" not in self._left:
                self._until([self._answers], [])
                more = os.read(self._answers, 1 << 20)
                if not more:
                    return
                self._left += more
                if len(self._left) > MOST_BYTES:
                    raise BrowserFailed("it says too much")
            text, _, self._left = self._left.partition(b"\0")
            yield json.loads(text)

    def _until(self, readable: list[int], writable: list[int]) -> None:
        left = self.deadline - time.monotonic()
        if left <= 0 or not any(select.select(readable, writable, [], left)):
            raise BrowserFailed("it took too long")

    def end(self) -> None:
        """Kill it with everything it has started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._close()

    def _close(self) -> None:
        for one in (self._orders, self._answers):
            os.close(one)


def _stand_in(path: str, folder: Path) -> tuple[int, int]:
    """(user, group) in place of root, so that the browser keeps its own sandbox; the folder is theirs then. Else (0, 0)."""
    if os.geteuid() != 0 or Path.home() in Path(path).resolve().parents:  # what is in root's home nobody else can start
        return 0, 0
    try:
        user = pwd.getpwnam("nobody")
    except KeyError:
        return 0, 0
    os.chown(folder, user.pw_uid, user.pw_gid)
    return user.pw_uid, user.pw_gid
