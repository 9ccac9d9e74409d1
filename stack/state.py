"""What a running stack tells other commands: one lock and one status file in the data folder."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from stack.errors import StackError

LOCK_FILE = "lock"
STATUS_FILE = "status.json"


@dataclass(kw_only=True)
class PartStatus:
    """One part as the supervisor sees it; `state` is one of waiting, starting, ready, restarting,
    crash-looping, stopping, stopped, done, external, failed."""

    state: str = "waiting"
    pid: int | None = None
    created: float | None = None
    restarts: int = 0
    address: str = ""
    note: str = ""
    took_seconds: float | None = None


@dataclass(kw_only=True)
class Status:
    """The whole stack; `state` is one of starting, ready, stopping, stopped, failed."""

    state: str = "starting"
    pid: int = 0
    home: str = ""
    port_base: int = 0
    edge_port: int = 0
    urls: dict[str, str] = field(default_factory=dict)
    parts: dict[str, PartStatus] = field(default_factory=dict)
    reason: str = ""
    next_step: str = ""

    def write(self, path: Path) -> None:
        """Replace the file as one step; only its owner may read it, for URLs hold passwords."""
        draft = path.with_suffix(".tmp")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as out:
            json.dump(asdict(self), out, indent=1)
        draft.replace(path)


def read(home: Path) -> Status | None:
    """Return the last status written in this data folder, or None where there never was one."""
    try:
        raw = json.loads((home / STATUS_FILE).read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    parts = {name: PartStatus(**value) for name, value in raw.pop("parts").items()}
    return Status(**raw, parts=parts)


def make_home(home: Path) -> None:
    """Make the data folder: others may pass (PostgreSQL has another user), not look around."""
    home.mkdir(parents=True, exist_ok=True, mode=0o711)


@contextmanager
def hold(home: Path) -> Iterator[None]:
    """Be the only stack on this data folder until the block ends.

    Raises StackError when another one is.
    """
    make_home(home)
    with (home / LOCK_FILE).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise already_running(home, holder(home)) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def already_running(home: Path, pid: int | None) -> StackError:
    """Return what to say to a second start on the same folder."""
    return StackError(
        f"a stack is already running on {home} (process {pid or 'unknown'})",
        "stop it with `staymesh down`, or use another folder with STAYMESH_HOME",
    )


def holder(home: Path) -> int | None:
    """Return the process that holds the data folder, or None when no stack runs there."""
    try:
        with (home / LOCK_FILE).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        text = (home / LOCK_FILE).read_text().strip()
        return int(text) if text.isdigit() else None
    return None
