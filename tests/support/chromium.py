"""The browser of the browser tests: the machine's Chromium or Chrome, else Playwright's own, else the distribution's package.

`python -m tests.support.chromium` finds one or installs one, and fails with the fix when neither works: no test is skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from app.lib.browser import candidates, starts


class ChromiumMissing(RuntimeError):
    """There is no Chromium, and none could be installed; the message says what to do."""


@cache
def find_chromium() -> str:
    """The path of a Chromium that starts. Raises ChromiumMissing."""
    for path in candidates(_downloads()):
        if starts(path):
            return path
    raise ChromiumMissing(
        "the browser tests need Chromium: install your system's chromium or Google Chrome, "
        "or run .venv/bin/python -m playwright install --with-deps chromium"
    )


def launch_arguments() -> list[str]:
    """What it is started with: quiet towards the network, without its sandbox only as root, who cannot have one.

    Headless mode and a new profile are given by whoever starts it (Playwright does both by itself).
    """
    arguments = [
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    return [*arguments, "--no-sandbox"] if os.geteuid() == 0 else arguments


def command_line(*, profile: Path) -> list[str]:
    """A whole command for starting it without Playwright. profile: a new folder for its user data."""
    return [find_chromium(), "--headless", *launch_arguments(), f"--user-data-dir={profile}"]


def install_chromium() -> None:
    """Try Playwright's download, then as root on Debian and its kin the package. Raises ChromiumMissing when both fail."""
    print("Installing Chromium for the browser tests …", flush=True)
    _try([sys.executable, "-m", "playwright", "install", "chromium"])
    if os.geteuid() == 0 and shutil.which("apt-get") and not any(starts(path) for path in candidates(_downloads())):
        _try(["apt-get", "-qq", "update"])
        _try(["apt-get", "-qq", "install", "-y", "--no-install-recommends", "chromium"])
    find_chromium.cache_clear()
    find_chromium()


def _downloads() -> Path | None:
    told = os.environ.get("PLAYWRIGHT_BROWSERS_PATH")
    return Path(told) if told else None


def _try(command: list[str]) -> None:
    """Run it; say when it failed, for the reason is often only there."""
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        made = subprocess.run(command, capture_output=True, text=True, env=environ, timeout=900, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"  {' '.join(command)}: {error}", file=sys.stderr)
        return
    if made.returncode != 0:
        last = (made.stderr or made.stdout).strip().splitlines()[-1:]
        print(f"  {' '.join(command)}: {''.join(last) or 'failed'}", file=sys.stderr)


def main() -> int:
    try:
        find_chromium()
    except ChromiumMissing:
        try:
            install_chromium()
        except ChromiumMissing as error:
            print(f"Dramac: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
