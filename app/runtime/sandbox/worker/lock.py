"""Wall 1: what a forked worker gives up before it sees foreign code. Each step reports whether this system let it happen."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Callable

LINUX = sys.platform == "linux"
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 1, 4, 38
CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWUSER = 0x40000000, 0x08000000, 0x04000000, 0x10000000
PROT_EXEC = 4
NOBODY = 65534
DATA_LIMIT = 384 << 20  # private memory a worker may write, bytes
# Addresses, not memory: WebAssembly reserves 4 GiB and guards per guest so that its loads need no bounds checks.
ADDRESS_LIMIT = 12 << 30

# What reading and writing frames, allocating, locking, clocks and returning from signals need. Everything else is EPERM.
ALLOWED = (
    "read", "write", "recvfrom", "sendto", "poll", "ppoll", "futex", "munmap", "mremap", "madvise", "brk",
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "clock_gettime", "clock_getres", "clock_nanosleep",
    "nanosleep", "gettimeofday", "getrandom", "getpid", "gettid", "sched_yield", "restart_syscall", "rseq",
    "set_robust_list", "exit", "exit_group",
)  # fmt: skip


def prctl(option: int, value: int) -> bool:
    if not LINUX:
        return False
    return bool(ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) == 0)


def leave_network() -> bool:
    """Give the zygote, and so every worker, a network of its own with nothing in it. Needs root or user namespaces."""
    if not LINUX:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    flags = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS
    return bool(libc.unshare(flags if os.geteuid() == 0 else flags | CLONE_NEWUSER) == 0)


def limit_resources(highest_fd: int) -> dict[str, bool]:
    """Files of no size, no new descriptors, no core; memory by what can be written."""
    limits = {
        "fsize": (resource.RLIMIT_FSIZE, 0),
        "core": (resource.RLIMIT_CORE, 0),
        "nofile": (resource.RLIMIT_NOFILE, highest_fd + 1),
        "data": (resource.RLIMIT_DATA, DATA_LIMIT),
        "as": (resource.RLIMIT_AS, ADDRESS_LIMIT),
    }
    return {name: _limit(kind, value) for name, (kind, value) in limits.items()}


def forbid_processes() -> bool:
    return _limit(resource.RLIMIT_NPROC, 0)


def _limit(kind: int, value: int) -> bool:
    try:
        resource.setrlimit(kind, (value, value))
    except (ValueError, OSError):
        return False
    return True


def drop_user() -> bool:
    """Become nobody. False when the pool does not run as root: then workers share its user."""
    if os.geteuid() != 0:
        return False
    try:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    except OSError:  # in a user namespace of its own that maps nobody else, it is nobody already
        return False
    return os.getuid() == NOBODY


def die_with_parent(parent: int) -> bool:
    """After drop_user, which clears it."""
    done = prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)
    return done


def prepare_filter() -> Callable[[], bool]:
    """Build the system call filter; the result loads it for every thread. Built early: looking for the library needs files."""
    try:
        import pyseccomp
    except (ImportError, RuntimeError):
        return lambda: False
    rules = pyseccomp.SyscallFilter(pyseccomp.ERRNO(1))
    rules.set_attr(pyseccomp.Attr.CTL_TSYNC, 1)
    for name in ALLOWED:
        try:
            rules.add_rule(pyseccomp.ALLOW, name)
        except OSError:
            continue  # this processor has no such call
    for name in ("mmap", "mprotect"):  # memory yes, new code no
        rules.add_rule(pyseccomp.ALLOW, name, pyseccomp.Arg(2, pyseccomp.MASKED_EQ, PROT_EXEC, 0))

    def load() -> bool:
        try:
            rules.load()
        except OSError:
            return False
        return True

    return load
