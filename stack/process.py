"""Start a child process that dies with us, if need be as a user without root's rights."""

import asyncio
import contextlib
import ctypes
import os
import pwd
import signal
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522

# Loaded here, not in the child: between fork and exec only system calls are safe.
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, kw_only=True)
class Account:
    """The user a child runs as; `reach_all` lets it pass folders that only root may enter."""

    uid: int
    gid: int
    reach_all: bool = False


@dataclass(frozen=True, kw_only=True)
class Command:
    """What to execute: arguments, the whole environment, the folder, the user (None: ours)."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    account: Account | None = None


def unprivileged_account(*paths: Path) -> Account | None:
    """Return whom a program that refuses root runs as: None unless we are root.

    `paths` are what it must reach; when a folder above one of them is closed to others, the
    account keeps one capability of root's (CAP_DAC_OVERRIDE) instead of our opening the folder.
    """
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    closed = any(not _open_to_all(path) for path in paths)
    return Account(uid=nobody.pw_uid, gid=nobody.pw_gid, reach_all=closed)


def give(path: Path, account: Account | None) -> None:
    """Make a folder the account's own, if there is one."""
    if account is not None:
        os.chown(path, account.uid, account.gid)


async def start(
    command: Command, *, log: int, stop_signal: signal.Signals = signal.SIGTERM
) -> asyncio.subprocess.Process:
    """Start the command in its own session, output to the `log` descriptor.

    The kernel sends it `stop_signal` when the thread that called this is gone, so nothing is
    left behind even when the supervisor is killed outright. Raises OSError.
    """
    return await asyncio.create_subprocess_exec(
        *command.argv,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        cwd=command.cwd,
        env=dict(command.env),
        start_new_session=True,
        preexec_fn=child_setup(command.account, stop_signal),
    )


async def run_logged(command: Command, log: Path) -> int:
    """Run the command to its end, output to the log, and return its exit code.

    When we are cancelled it is killed. Raises OSError.
    """
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        child = await start(command, log=descriptor)
    finally:
        os.close(descriptor)
    try:
        return await child.wait()
    finally:
        kill_group(child)


def kill_group(child: asyncio.subprocess.Process) -> None:
    """Kill the child and what it started, as far as they are still there."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)


def child_setup(account: Account | None, stop_signal: signal.Signals) -> Callable[[], None]:
    """Return what a child runs between fork and exec: change the user, then bind to us."""
    parent = os.getpid()

    def set_up() -> None:
        if account is not None:
            _become(account)
        # After the change of user, which would clear it.
        _libc.prctl(PR_SET_PDEATHSIG, int(stop_signal), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return set_up


def _become(account: Account) -> None:
    if account.reach_all:
        _libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(account.gid, account.gid, account.gid)
    os.setresuid(account.uid, account.uid, account.uid)
    if account.reach_all:
        _keep_dac_override()


def _keep_dac_override() -> None:
    """Hold CAP_DAC_OVERRIDE across the exec; without it the program itself says what it misses."""
    bit = 1 << CAP_DAC_OVERRIDE
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    # Effective, permitted, inheritable; the second three are the capabilities from 32 up.
    data = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)
    _libc.capset(header, data)
    _libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0)


def _open_to_all(path: Path) -> bool:
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents))
