"""A call: bare grpc.aio, our pipeline, JSON through Envoy, FastAPI; the same listing each time."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from statistics import median

from staymesh.booking.v1 import listings_pb2

from bench import h2load
from bench.h2load import Load
from bench.processes import Process, free_port, running, server
from bench.servers import LISTING_ID
from bench.table import Row
from edge.envoy import EdgeSettings
from edge.files import write_files
from mesh.rpc.identity import USER_AUDIENCE, USER_ISSUER
from mesh.rpc.keys import jwk_of
from mesh.testing import USER_KEY_ID, Keyring

ROUNDS = 3
PROTOSET = Path(__file__).parent.parent / "protos" / "staymesh.protoset"
METHOD = "/staymesh.booking.v1.ListingService/GetListing"


@dataclass(frozen=True, kw_only=True)
class Contender:
    """One way to be called, and the processes that serve it."""

    load: Load
    processes: tuple[Process, ...]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The medians of one contender's rounds."""

    per_second: float
    cpu_us: float
    """Of the serving processes, for each call."""
    alone_ms: float
    """The mean time of a call when no other is in flight."""


def rows(requests: int) -> list[Row]:
    """Measure all four in turn, and again, and return the ratios."""
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        found = _measure(stack.enter_context(_contenders(Path(scratch))), requests)
    bare, ours, json_, fastapi = (found[name] for name in ("bare", "ours", "json", "fastapi"))
    cpu = ours.cpu_us / bare.cpu_us
    through = json_.per_second / ours.per_second
    added = json_.alone_ms - ours.alone_ms
    beside = json_.per_second / fastapi.per_second
    return [
        Row(
            what="gRPC call through our pipeline, CPU, against bare grpc.aio",
            ours=f"{ours.cpu_us:.0f} us",
            ceiling=f"{bare.cpu_us:.0f} us",
            ratio=cpu,
            goal="1.30 or less",
            holds=cpu <= 1.3,
        ),
        Row(
            what="JSON through Envoy against direct gRPC, calls",
            ours=f"{json_.per_second:,.0f}/s",
            ceiling=f"{ours.per_second:,.0f}/s",
            ratio=through,
            goal="0.95 or more",
            holds=through >= 0.95,
        ),
        Row(
            what="what Envoy adds to a lone call",
            ours=f"{json_.alone_ms:.2f} ms",
            ceiling=f"{ours.alone_ms:.2f} ms",
            ratio=json_.alone_ms / ours.alone_ms,
            goal="0.3 ms more",
            holds=added <= 0.3,
        ),
        Row(
            what="JSON through Envoy against FastAPI with uvicorn, calls",
            ours=f"{json_.per_second:,.0f}/s",
            ceiling=f"{fastapi.per_second:,.0f}/s",
            ratio=beside,
            goal="",
            holds=None,
        ),
    ]


def _measure(contenders: dict[str, Contender], requests: int) -> dict[str, Seen]:
    """Take every contender in turn, several times, so that a slow moment meets all of them."""
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    costs: dict[str, list[float]] = {name: [] for name in contenders}
    alone: dict[str, list[float]] = {name: [] for name in contenders}
    for contender in contenders.values():
        _run(contender, requests // 10)
    for _ in range(ROUNDS):
        for name, contender in contenders.items():
            before = [process.cpu_seconds() for process in contender.processes]
            result = _run(contender, requests)
            after = [process.cpu_seconds() for process in contender.processes]
            rates[name].append(result.per_second)
            costs[name].append((sum(after) - sum(before)) / requests * 1e6)
            alone[name].append(_run(contender, requests // 10, alone=True).mean_ms)
    return {
        name: Seen(
            per_second=median(rates[name]),
            cpu_us=median(costs[name]),
            alone_ms=median(alone[name]),
        )
        for name in contenders
    }


def _run(contender: Contender, requests: int, *, alone: bool = False) -> h2load.Result:
    load = replace(contender.load, requests=requests)
    return h2load.run(replace(load, clients=1, streams=1) if alone else load)


@contextmanager
def _contenders(scratch: Path) -> Iterator[dict[str, Contender]]:
    keys = Keyring()
    jwks = scratch / "jwks.json"
    jwks.write_text(json.dumps({"keys": [jwk_of(keys.user_key.public_key(), USER_KEY_ID)]}))
    token = keys.user_token("usr_00000000000000000000000000", life=timedelta(hours=1))
    signed = {"authorization": f"Bearer {token}"}
    grpc = {**signed, "content-type": "application/grpc", "te": "trailers"}
    frame = scratch / "request.bin"
    request = listings_pb2.GetListingRequest(listing_id=LISTING_ID)
    frame.write_bytes(h2load.grpc_frame(request.SerializeToString()))
    path = f"/api/v1/listings/{LISTING_ID}"
    with (
        server("bare") as bare,
        server("ours", str(jwks)) as ours,
        server("fastapi") as fastapi,
        _envoy(scratch, jwks, ours.port) as envoy,
    ):

        def call(process: Process) -> Load:
            return Load(url=_url(process, METHOD), requests=0, headers=grpc, body=frame)

        def get(process: Process) -> Load:
            return Load(url=_url(process, path), requests=0, headers=signed, http1=True)

        yield {
            "bare": Contender(load=call(bare), processes=(bare,)),
            "ours": Contender(load=call(ours), processes=(ours,)),
            "json": Contender(load=get(envoy), processes=(envoy, ours)),
            "fastapi": Contender(load=get(fastapi), processes=(fastapi,)),
        }


def _url(process: Process, path: str) -> str:
    return f"http://127.0.0.1:{process.port}{path}"


@contextmanager
def _envoy(scratch: Path, jwks: Path, upstream: int) -> Iterator[Process]:
    port, admin = free_port(), free_port()
    settings = EdgeSettings(
        listen=f"127.0.0.1:{port}",
        admin_listen=f"127.0.0.1:{admin}",
        protoset=PROTOSET,
        jwks=jwks,
        issuer=USER_ISSUER,
        audience=USER_AUDIENCE,
        upstreams={
            name: [f"127.0.0.1:{upstream}"] for name in ("accounts", "booking", "reviews", "search")
        },
    )
    configuration = write_files(scratch, settings, server=f"http://127.0.0.1:{port}")
    binary = str(files("envoy") / "_bin" / "envoy")
    argv = [
        binary,
        "-c",
        str(configuration),
        "--base-id",
        str(port),
        "--concurrency",
        "2",
        "-l",
        "error",
    ]
    with running(argv, port) as process:
        yield process
