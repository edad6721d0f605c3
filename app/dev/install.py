"""Makes .venv and installs the pinned requirements: `python3 app/dev/install.py run|test`. Standard library alone.

Runs under the machine's own Python, before anything is installed. Costs some 30 ms when there is nothing to do.
"""

from __future__ import annotations

import fcntl
import hashlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
FILES = {
    "run": ("requirements.txt", "requirements-embedded.txt"),
    "test": ("requirements.txt", "requirements-embedded.txt", "requirements-dev.txt"),
}
OLDEST = (3, 11)


class CannotInstall(Exception):
    """One clear line that says the fix."""


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in FILES:
        print("usage: python3 app/dev/install.py run|test", file=sys.stderr)
        return 2
    try:
        with open(ROOT / ".venv.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two make targets at once install once
            install(arguments[0])
    except CannotInstall as error:
        print(f"Dramac: {error}", file=sys.stderr)
        return 1
    return 0


def install(purpose: str) -> None:
    """Bring .venv to what the purpose needs. Raises CannotInstall."""
    if sys.version_info < OLDEST:
        raise CannotInstall(f"Python 3.11 or later is needed, {sys.executable} is {sys.version.split()[0]}")
    wanted = {name: fingerprint(FILES[name]) for name in FILES}
    if _stamped(purpose) == wanted[purpose]:
        return
    import subprocess  # these and more cost most of the time when there is nothing to do

    if not usable():
        make_venv()
    print(f"Installing what `make {purpose}` needs (the first time takes about a minute) …", flush=True)
    files = [word for name in FILES[purpose] for word in ("-r", name)]
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "-qq", "--disable-pip-version-check", *files]
    if subprocess.run(pip, cwd=ROOT, check=False).returncode != 0:
        raise CannotInstall("pip could not install the requirements (its report is above); is the network reachable?")
    for name, files_of in FILES.items():
        if set(files_of) <= set(FILES[purpose]):
            (VENV / f"installed-{name}").write_text(wanted[name])


def fingerprint(names: tuple[str, ...]) -> str:
    """Changes with the requirements, the Python and the place of the checkout: any makes the installed packages stale."""
    digest = hashlib.sha256("\0".join((sys.version, sys.base_prefix, str(VENV))).encode())
    for name in names:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def usable() -> bool:
    """Whether .venv works and was made by this very Python."""
    import subprocess

    try:
        settings = (VENV / "pyvenv.cfg").read_text()
        kept = dict(line.split(" = ", 1) for line in settings.splitlines() if " = " in line)
        answer = subprocess.run([VENV / "bin" / "python", "-m", "pip", "--version"], capture_output=True, check=False)
    except OSError:
        return False
    version = ".".join(str(number) for number in sys.version_info[:3])
    return answer.returncode == 0 and kept.get("version") == version and str(VENV).encode() in answer.stdout


def make_venv() -> None:
    """A fresh .venv in place of whatever is there. Raises CannotInstall when this Python lacks the means."""
    import importlib.util
    import shutil
    import subprocess
    import venv

    if importlib.util.find_spec("ensurepip") is None:
        package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        raise CannotInstall(f"{sys.executable} cannot make virtual environments: apt-get install {package} (as root)")
    if VENV.is_symlink() or VENV.is_file():
        raise CannotInstall(f"{VENV} is in the way: remove it, Dramac makes its own")
    shutil.rmtree(VENV, ignore_errors=True)
    try:
        venv.create(VENV, with_pip=True, symlinks=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise CannotInstall(f"no virtual environment could be made in {VENV}: {error}") from error


def _stamped(purpose: str) -> str:
    try:
        python = VENV / "bin" / "python"
        return (VENV / f"installed-{purpose}").read_text() if python.exists() else ""
    except OSError:
        return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
