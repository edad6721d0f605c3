"""Which system account runs the servers: PostgreSQL refuses root, so root gets an account made for nothing else."""

from __future__ import annotations

import os
import pwd
import shutil
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

from app.dev.errors import DevError

ACCOUNT = "dramac-db"

# Entry tags of a POSIX access list as Linux keeps it in an extended attribute (include/uapi/linux/posix_acl.h).
_XATTR = "system.posix_acl_access"
_USER_OBJ, _USER, _GROUP_OBJ, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x10, 0x20
_READ, _SEARCH, _NO_ID = 4, 1, 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Account:
    """Who the servers run as. `switch` is false when that is simply the person who started us."""

    uid: int
    gid: int
    switch: bool


def server_account() -> Account:
    """The caller's own account; for root the system account `dramac-db`, made when missing. Raises DevError."""
    if os.geteuid() != 0:
        return Account(uid=os.geteuid(), gid=os.getegid(), switch=False)
    entry = _entry() or _create()
    return Account(uid=entry.pw_uid, gid=entry.pw_gid, switch=True)


def _entry() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(ACCOUNT)
    except KeyError:
        return None


def _create() -> pwd.struct_passwd:
    if useradd := shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin"):
        command = [useradd, "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
        command += ["--shell", "/usr/sbin/nologin", ACCOUNT]
    elif adduser := shutil.which("adduser", path="/usr/sbin:/sbin:/usr/bin"):  # busybox
        command = [adduser, "-S", "-D", "-H", "-s", "/sbin/nologin", ACCOUNT]
    else:
        raise DevError(
            "PostgreSQL does not run as root: start Dramac as an ordinary user, or give DATABASE_URL and REDIS_URL"
        )
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    entry = _entry()  # asked again also after a failure: another start may have made it in the same moment
    if entry is None:
        raise DevError(
            f"PostgreSQL does not run as root, and the account {ACCOUNT} could not be made ({made.stderr.strip()}): "
            "start Dramac as an ordinary user, or give DATABASE_URL and REDIS_URL"
        )
    return entry


def let_reach(account: Account, path: Path) -> None:
    """Let the account walk down to `path` (absolute): search right for it alone on each closed folder above. Raises DevError."""
    if not account.switch:
        return
    for folder in reversed(path.parents):
        if not _allows(folder, account, _SEARCH):
            _grant(folder, account, _SEARCH)


def let_read(account: Account, tree: Path) -> None:
    """Let the account read and run everything below `tree`, for programs installed under a closed umask. Raises DevError."""
    if not account.switch:
        return
    for folder, _, names in os.walk(tree):
        for path in [Path(folder), *(Path(folder, name) for name in names)]:
            wanted = _READ | _SEARCH if path.is_dir() or os.access(path, os.X_OK) else _READ
            if not path.is_symlink() and not _allows(path, account, wanted):
                _grant(path, account, wanted)


def _allows(path: Path, account: Account, wanted: int) -> bool:
    facts = path.stat()
    if facts.st_uid == account.uid:
        return facts.st_mode >> 6 & wanted == wanted
    entries = _access_list(path)
    mask = next((mode for tag, mode, _ in entries if tag == _MASK), 7)  # a later chmod of the group's rights narrows it
    if any(tag == _USER and owner == account.uid for tag, _, owner in entries):
        mode = next(mode for tag, mode, owner in entries if tag == _USER and owner == account.uid)
        return mode & mask & wanted == wanted
    if facts.st_gid == account.gid:
        return facts.st_mode >> 3 & wanted == wanted
    return facts.st_mode & wanted == wanted


def _access_list(path: Path) -> list[tuple[int, int, int]]:
    """The entries (tag, rights, id) of the path's access list, made from its plain mode when it has none."""
    try:
        packed = os.getxattr(path, _XATTR)
        return list(struct.iter_unpack("<HHI", packed[4:]))
    except (OSError, AttributeError):  # none set, not supported here, or not Linux
        mode = path.stat().st_mode
        return [(_USER_OBJ, mode >> 6 & 7, _NO_ID), (_GROUP_OBJ, mode >> 3 & 7, _NO_ID), (_OTHER, mode & 7, _NO_ID)]


def _grant(path: Path, account: Account, rights: int) -> None:
    """Add the rights for the account alone; raises DevError where the file system keeps no access lists."""
    entries = [entry for entry in _access_list(path) if not (entry[0] == _USER and entry[2] == account.uid)]
    widest = next(
        (mode for tag, mode, _ in entries if tag == _MASK), next(mode for tag, mode, _ in entries if tag == _GROUP_OBJ)
    )
    entries = [entry for entry in entries if entry[0] != _MASK]
    entries += [(_USER, rights, account.uid), (_MASK, widest | rights, _NO_ID)]
    entries.sort(key=lambda entry: (entry[0], entry[2]))  # the kernel refuses any other order
    try:
        os.setxattr(path, _XATTR, struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries))
    except (OSError, AttributeError) as error:
        raise DevError(
            f"{path} is closed to the account {ACCOUNT}, which runs PostgreSQL for root: allow it (chmod o+x {path}), "
            "start Dramac as an ordinary user, or give DATABASE_URL and REDIS_URL"
        ) from error
