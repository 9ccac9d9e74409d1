"""Stacks under measurement: `staymesh up` in a process and on a folder of their own."""

import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from stack import config, preflight, state
from stack.config import Settings

START_SECONDS = 300.0
STOP_SECONDS = 60.0
PORTS = 100


@contextmanager
def running_stack(
    home: Path, *, only: Sequence[str] = (), port_base: int | None = None
) -> Iterator[Settings]:
    """Run the parts named in `only` with what they need, all of them if none is named.

    No demo world is loaded. A folder may be run again, with other parts. Raise RuntimeError, with
    the end of its log, when the stack does not start.
    """
    base = port_base or _free_ports()
    edge = base + PORTS - 1
    settings = config.load(home=home, port_base=base, edge_port=edge)
    state.make_home(home)
    settings.status_file.unlink(missing_ok=True)
    argv = [sys.executable, "-m", "stack", "up", "--no-world", "--home", str(home)]
    argv += ["--port-base", str(base), "--edge-port", str(edge), "--only", ",".join(only)]
    log = home / "up.log"
    with log.open("w") as out:
        child = subprocess.Popen(argv, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
    try:
        _wait(child, home, log)
        yield settings
    finally:
        child.terminate()
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def url(settings: Settings, name: str) -> str:
    """Return a URL of a running stack, as `database-booking`."""
    status = state.read(settings.home)
    assert status is not None
    return status.urls[name]


def _wait(child: "subprocess.Popen[bytes]", home: Path, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and child.poll() is None:
        status = state.read(home)
        if status is not None and status.state == "ready":
            return
        time.sleep(0.1)
    raise RuntimeError(f"the stack did not start:\n{log.read_text()[-3000:]}")


def _free_ports() -> int:
    """Find a block of free ports below the range the kernel hands out."""
    while True:
        base = random.randrange(22000, 32000, PORTS)
        if all(preflight.is_free(base + offset) for offset in range(PORTS)):
            return base
