"""Look before starting: room on the disk, free ports, nothing left over from a killed stack."""

import shutil
import socket
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil

from stack.config import LOOPBACK
from stack.errors import StackError
from stack.state import Status

NEEDED_BYTES = 1_500_000_000
LEFTOVER_GRACE_SECONDS = 10.0


def require_disk(folder: Path) -> None:
    """Raise StackError when the disk that holds the folder is nearly full."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if free < NEEDED_BYTES:
        raise StackError(
            f"only {free / 1e9:.1f} GB are free on the disk of {folder}, "
            f"and the stack needs {NEEDED_BYTES / 1e9:.1f} GB",
            "free some space, or put the data elsewhere with STAYMESH_HOME",
        )


def require_free(ports: Iterable[tuple[str, int]]) -> None:
    """Raise StackError for the first port, given with its part's name, that is taken."""
    for name, port in ports:
        if not is_free(port):
            option = "--edge-port" if name == "envoy" else "--port-base"
            raise StackError(
                f"port {port}, wanted by {name}, is taken{_by_whom(port)}",
                f"stop that program, or choose another port with {option}",
            )


def is_free(port: int) -> bool:
    """Say whether the loopback port can be listened on."""
    with socket.socket() as probe:
        # As servers do: connections that linger after a stop do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def end_leftovers(
    previous: Status | None, *, grace_seconds: float = LEFTOVER_GRACE_SECONDS
) -> None:
    """Wait for processes of an earlier, killed supervisor to end, and kill those that stay."""
    if previous is None:
        return
    left = []
    for part in previous.parts.values():
        if part.pid is None or part.created is None:
            continue
        with suppress(psutil.NoSuchProcess):
            found = psutil.Process(part.pid)
            if abs(found.create_time() - part.created) < 0.05:
                left.append(found)
    _, alive = psutil.wait_procs(left, timeout=grace_seconds)
    for found in alive:
        with suppress(psutil.NoSuchProcess):
            found.kill()
    psutil.wait_procs(alive, timeout=LEFTOVER_GRACE_SECONDS)


def _by_whom(port: int) -> str:
    with suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            listening = connection.status == psutil.CONN_LISTEN
            if listening and connection.laddr[1:2] == (port,) and connection.pid:
                name = psutil.Process(connection.pid).name()
                return f" by {name} (process {connection.pid})"
    return ""
