"""Several processes of one service on one port: one event loop each, the kernel spreads the load.

The parent only starts, stops and watches. One child's unexpected end is the end of all, so that
whoever supervises the service sees it and starts it afresh.
"""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from types import FrameType

_CHILD = "STAYMESH_CHILD"
_PR_SET_PDEATHSIG = 1


def run_processes(count: int, environment: Mapping[str, str], metrics_listen: str) -> int:
    """Run this same command `count` times and return an exit code when all have ended.

    The children share the port by SO_REUSEPORT; child i serves metrics at the port + i.
    """
    children: list[subprocess.Popen[bytes]] = []
    stopping = False

    def stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True
        _terminate(children)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    for index in range(count):
        own = {_CHILD: "1", "STAYMESH_METRICS_LISTEN": _shifted(metrics_listen, index)}
        children.append(
            subprocess.Popen([sys.executable, *sys.orig_argv[1:]], env={**environment, **own})
        )
    pid, status = os.wait()
    expected = stopping
    if not expected:
        _terminate(children)
    codes = [
        os.waitstatus_to_exitcode(status) if child.pid == pid else child.wait()
        for child in children
    ]
    return 0 if expected and not any(codes) else 1


def is_child() -> bool:
    """Return whether this process is one of several; if so, let it not outlive its parent."""
    if os.environ.get(_CHILD) != "1":
        return False
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    return True


def _terminate(children: list[subprocess.Popen[bytes]]) -> None:
    for child in children:
        if child.returncode is None:
            child.terminate()


def _shifted(listen: str, by: int) -> str:
    host, _, port = listen.rpartition(":")
    return f"{host}:{int(port) + by}" if listen else ""
