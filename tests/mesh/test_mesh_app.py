"""The life of a service process, with real processes and real signals."""

import asyncio
import json
import os
import signal
import socket
import sys
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from echo_stubs import SERVICE, pb
from grpc_health.v1 import health_pb2, health_pb2_grpc

from mesh.testing import Keyring

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Process:
    """A running service and what it has said."""

    def __init__(self, child: asyncio.subprocess.Process, address: str, metrics: str) -> None:
        self.child = child
        self.address = address
        self.metrics = metrics
        self.lines: list[str] = []

    async def says(self, wanted: Callable[[str], bool]) -> str:
        """Read its stderr until a line is as wanted."""
        assert self.child.stderr
        async for line in self.child.stderr:
            self.lines.append(line.decode())
            if wanted(self.lines[-1]):
                return self.lines[-1]
        raise AssertionError(f"it ended without saying so: {''.join(self.lines)}")

    async def ready(self) -> None:
        await self.says(lambda line: '"event": "ready"' in line)

    async def ended(self) -> tuple[int, str]:
        """Return its exit code and the rest of its stdout."""
        assert self.child.stderr
        assert self.child.stdout
        self.lines += [line.decode() async for line in self.child.stderr]
        out = (await self.child.stdout.read()).decode()
        return await self.child.wait(), out


Start = Callable[..., Any]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    @asynccontextmanager
    async def start(*arguments: str, **environment: str) -> AsyncIterator[Process]:
        address, metrics = (f"127.0.0.1:{free_port()}" for _ in range(2))
        own = Keyring().write(tmp_path, "echo") | {
            "STAYMESH_LISTEN": address,
            "STAYMESH_METRICS_LISTEN": metrics,
            "STAYMESH_LAME_DUCK_SECONDS": "1.0",
            "PYTHONPATH": f"{ROOT}:{ROOT / 'protos'}",
        }
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            str(Path(__file__).with_name("echo_service.py")),
            *arguments,
            env={**os.environ, **own, **environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            yield Process(child, address, metrics)
        finally:
            if child.returncode is None:
                child.kill()
            await child.communicate()

    return start


def echo_of(channel: grpc.aio.Channel) -> Callable[[str], Any]:
    """Return a call past our client, which would heed NOT_SERVING."""
    method = channel.unary_unary(
        f"/{SERVICE}/Public",
        request_serializer=pb.EchoRequest.SerializeToString,
        response_deserializer=pb.EchoResponse.FromString,
    )
    return lambda text: method(pb.EchoRequest(text=text), timeout=5)


async def test_sigterm_says_not_serving_and_lets_calls_in_flight_finish(start: Start) -> None:
    async with start() as process, grpc.aio.insecure_channel(process.address) as channel:
        await process.ready()
        echo = echo_of(channel)
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
        held = asyncio.ensure_future(echo("hold"))
        while (await echo("held")).text != "True":
            pass

        process.child.send_signal(signal.SIGTERM)
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
        watch.cancel()
        await echo("release")  # in the lame-duck time calls are still taken
        assert (await held).text == "hold"

        code, out = await process.ended()
        assert (code, out) == (0, "worker ended\nclosed\n")
        assert '"event": "stopped"' in process.lines[-1]


async def test_a_worker_that_breaks_ends_the_process(start: Start) -> None:
    async with start("crash") as process:
        line = json.loads(await process.says(lambda line: "worker failed" in line))
        assert "the worker broke" in line["exception"]
        assert (await process.ended())[0] == 1


async def test_sigterm_ends_a_process_that_is_still_starting(start: Start) -> None:
    async with start("stuck") as process:
        assert await process.child.stdout.readline() == b"building\n"
        process.child.send_signal(signal.SIGTERM)
        assert await process.ended() == (0, "closed\n")


async def test_a_role_without_servicers_says_its_health_and_its_metrics(start: Start) -> None:
    async with start("idle") as process, grpc.aio.insecure_channel(process.address) as channel:
        await process.ready()
        answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
        url = f"http://{process.metrics}/metrics"
        body = await asyncio.to_thread(lambda: urllib.request.urlopen(url).read().decode())
        assert "event_loop_lag_seconds_bucket" in body
        process.child.send_signal(signal.SIGINT)
        assert (await process.ended())[0] == 0


async def test_several_processes_serve_one_port_and_end_together(start: Start) -> None:
    async with (
        start(STAYMESH_PROCESSES="2", STAYMESH_METRICS_LISTEN="") as process,
        grpc.aio.insecure_channel(process.address) as channel,
    ):
        await process.ready()
        await process.ready()
        assert (await echo_of(channel)("hi")).text == "hi"
        process.child.send_signal(signal.SIGTERM)
        code, out = await process.ended()
        assert (code, out.count("worker ended"), out.count("closed")) == (0, 2, 2)


async def test_migrate_is_a_verb_of_the_same_program(start: Start) -> None:
    async with start("migrate") as process:
        assert await process.ended() == (0, "migrated echo\n")


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"STAYMESH_SERVICE_KEY_FILE": "/nowhere.pem"}, "/nowhere.pem"),
        ({"STAYMESH_GRACE_SECONDS": "long"}, "STAYMESH_GRACE_SECONDS"),
        ({"STAYMESH_LISTEN": "256.0.0.1:1"}, "256.0.0.1:1"),
    ],
)
async def test_what_is_wrong_at_the_start_is_named(
    start: Start, environment: dict[str, str], said: str
) -> None:
    async with start(**environment) as process:
        code, _ = await process.ended()
        assert code == 1
        assert said in "".join(process.lines)


async def test_an_unknown_verb_gets_the_list(start: Start) -> None:
    async with start("migrat") as process:
        assert (await process.ended())[0] == 1
        assert "serve, idle, crash, stuck, migrate" in process.lines[-1]
