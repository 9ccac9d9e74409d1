"""The roles of search as processes of their own, and gates in front of what they depend on."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

START_SECONDS = 100.0


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


class Role:
    """One process; `kill` is kill -9, and `start` may follow it."""

    def __init__(self, name: str, arguments: list[str], env: dict[str, str], log: Path) -> None:
        self.name = name
        self.address = f"127.0.0.1:{free_port()}"
        self._argv = [sys.executable, "-m", "search_svc", *arguments]
        self._env = {**os.environ, **env, "STAYMESH_LISTEN": self.address}
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, wait: bool = True) -> None:
        """Start it, and wait until it is healthy."""
        with self._log.open("ab") as out:
            self._process = subprocess.Popen(
                self._argv, env=self._env, stdout=out, stderr=out, stdin=subprocess.DEVNULL
            )
        if wait:
            self.wait_until_healthy()

    def wait_until_healthy(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        quick = [("grpc.max_reconnect_backoff_ms", 100)]
        with grpc.insecure_channel(self.address, quick) as channel:
            stub: Any = health_pb2_grpc.HealthStub(channel)
            while time.monotonic() < deadline:
                assert self._process is not None
                if self._process.poll() is not None:
                    break
                with contextlib.suppress(grpc.RpcError):
                    request = health_pb2.HealthCheckRequest()
                    answer = stub.Check(request, timeout=1, wait_for_ready=True)
                    if answer.status == health_pb2.HealthCheckResponse.SERVING:
                        return
        raise AssertionError(f"{self.name} does not serve:\n{self._log.read_text()[-3000:]}")

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """End it as a supervisor would; return its exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, number: int) -> int:
        if self._process is None:
            return 0
        self._process.send_signal(number)
        code = self._process.wait(30)
        self._process = None
        return code


class Gate:
    """A TCP way to a server, which can be shut: then connections break and none is taken."""

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._target = host, int(port)
        self.port = free_port()
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._pipes: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> "Gate":
        self._thread.start()
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.shut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def open(self) -> None:
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(5)

    def shut(self) -> None:
        asyncio.run_coroutine_threadsafe(self._shut(), self._loop).result(5)

    @contextlib.contextmanager
    def closed(self) -> Iterator[None]:
        """Shut it for a block."""
        self.shut()
        try:
            yield
        finally:
            self.open()

    async def _open(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._pass, "127.0.0.1", self.port)

    async def _shut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for pipe in list(self._pipes):
            pipe.cancel()
        await asyncio.gather(*self._pipes, return_exceptions=True)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            to_reader, to_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        ends = (writer, to_writer)
        for source, sink in ((reader, to_writer), (to_reader, writer)):
            pipe = asyncio.create_task(_pump(source, sink, ends))
            self._pipes.add(pipe)
            pipe.add_done_callback(self._pipes.discard)


async def _pump(
    source: asyncio.StreamReader,
    sink: asyncio.StreamWriter,
    ends: tuple[asyncio.StreamWriter, asyncio.StreamWriter],
) -> None:
    try:
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    except OSError:
        pass
    finally:
        for end in ends:
            end.transport.abort()
