"""Server processes under measurement: started, waited for, their CPU time read, ended."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

START_SECONDS = 20.0


@dataclass(frozen=True, kw_only=True)
class Process:
    """A running server."""

    port: int
    handle: psutil.Process

    def cpu_seconds(self) -> float:
        """Return the CPU time that it and its children have used so far."""
        family = [self.handle, *self.handle.children(recursive=True)]
        times = [member.cpu_times() for member in family]
        return sum(t.user + t.system for t in times)


def free_port() -> int:
    """Return a port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def server(*arguments: str) -> Iterator[Process]:
    """Run one of bench.servers on a free port."""
    port = free_port()
    kind, *rest = arguments
    argv = [sys.executable, "-m", "bench.servers", kind, str(port), *rest]
    with running(argv, port) as process:
        yield process


@contextmanager
def running(argv: Sequence[str | Path], port: int) -> Iterator[Process]:
    """Run a command until the block ends; it is ready once it listens on `port`."""
    quiet = subprocess.DEVNULL
    child = subprocess.Popen([str(part) for part in argv], stdout=quiet, stderr=quiet)
    try:
        _wait(child, port)
        yield Process(port=port, handle=psutil.Process(child.pid))
    finally:
        child.terminate()
        child.wait()


def _wait(child: "subprocess.Popen[bytes]", port: int) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if child.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"a server did not start on port {port}")
