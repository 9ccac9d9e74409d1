"""One load generator for gRPC and JSON alike: nghttp2's h2load, in C, so it is not the limit."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

MISSING = "h2load is missing (Debian: apt-get install nghttp2-client)"


@dataclass(frozen=True, kw_only=True)
class Load:
    """A closed loop of requests against one URL."""

    url: str
    requests: int
    clients: int = 4
    streams: int = 16
    """In flight on each connection; HTTP/1.1 has `clients * streams` connections instead."""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Path | None = None
    http1: bool = False


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a load saw."""

    per_second: float
    mean_ms: float


def available() -> bool:
    """Tell whether h2load is on this machine."""
    return shutil.which("h2load") is not None


def run(load: Load) -> Result:
    """Run one load to its end. Raise RuntimeError when an answer was not a success."""
    clients = load.clients * load.streams if load.http1 else load.clients
    command = ["h2load", "-n", str(load.requests), "-c", str(clients), "-t", "1"]
    command += ["--h1"] if load.http1 else ["-m", str(load.streams)]
    for name, value in load.headers.items():
        command += ["-H", f"{name}: {value}"]
    command += ["-d", str(load.body)] if load.body else []
    out = subprocess.run([*command, load.url], capture_output=True, text=True, check=True).stdout
    done = re.search(r"status codes: (\d+) 2xx", out)
    if done is None or int(done[1]) != load.requests:
        raise RuntimeError(f"{load.url} did not answer every request:\n{out[-800:]}")
    rate = re.search(r"finished in .*?, ([\d.]+) req/s", out)
    mean = re.search(r"time for request:\s+\S+\s+\S+\s+([\d.]+)(us|ms|s)\s", out)
    assert rate is not None, out
    assert mean is not None, out
    scale = {"us": 0.001, "ms": 1.0, "s": 1000.0}[mean[2]]
    return Result(per_second=float(rate[1]), mean_ms=float(mean[1]) * scale)


def grpc_frame(message: bytes) -> bytes:
    """Return a message as gRPC frames it: no compression, its length, itself."""
    return b"\x00" + len(message).to_bytes(4, "big") + message
