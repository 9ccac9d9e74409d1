"""The life of a service process: settings, one composition root, an orderly end.

A service writes `async def build(settings, app) -> Sequence[Mount]`, which opens what it needs on
`app` (an AsyncExitStack) and wires it; `main` does the rest. The end comes in this order: health
says NOT_SERVING, calls in flight get their grace, workers are cancelled, work that must not be torn
is waited for, and then what `build` opened is closed, last opened first.
"""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, NoReturn, Self, TypeVar

import structlog
import uvloop
from pydantic import BeforeValidator, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from mesh.aio.drain import loop_drain
from mesh.clock import Clock, SystemClock
from mesh.processes import is_child, run_processes
from mesh.rpc.auth import Authenticator
from mesh.rpc.client import Channel, ClientSettings, connect
from mesh.rpc.identity import ServiceIdentity, ServiceTokens, UserTokens
from mesh.rpc.keys import KeySet, read_private_key
from mesh.rpc.observe import AnsweredLine, answered_line
from mesh.rpc.pipeline import Guards
from mesh.rpc.server import Mount, Server, ServerSettings
from mesh.rpc.tracing import Tracing
from mesh.telemetry import metrics_endpoint, quick_line, setup_logs, tracing
from mesh.watchdog import watched_loop

__all__ = ["Addresses", "App", "Mount", "ServiceSettings", "main", "run", "serve"]

_log = structlog.stdlib.get_logger(__name__)
_UNWIND_SECONDS = 5.0


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


Addresses = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
"""Comma-separated host:port in the environment: `peer_booking: Addresses`."""


class ServiceSettings(BaseSettings):
    """What every service process is told by its environment (STAYMESH_...).

    A service's config.py subclasses it and adds what it needs: `database_url: str` is read from
    STAYMESH_DATABASE_URL. What has no default must be given, or the process does not start.
    """

    model_config = SettingsConfigDict(env_prefix="STAYMESH_", frozen=True, extra="ignore")

    service_name: str
    """Our name in tokens and logs; the name of our key in the service JWKS."""
    listen: str
    metrics_listen: str = ""
    jwks_file: Path
    service_jwks_file: Path
    service_key_file: Path
    log_level: str = "INFO"
    otlp_url: str = ""
    processes: int = 1
    max_concurrent_rpcs: int = 2048
    lame_duck_seconds: float = 0.5
    grace_seconds: float = 10.0


T = TypeVar("T")
SettingsT = TypeVar("SettingsT", bound=ServiceSettings)
Build = Callable[[SettingsT, "App"], Coroutine[Any, Any, Sequence[Mount]]]


class App(AsyncExitStack):
    """What a composition root builds on: an exit stack with an identity, peers and workers."""

    def __init__(
        self,
        settings: ServiceSettings,
        *,
        clock: Clock | None = None,
        tracing: Tracing | None = None,
        line: AnsweredLine = answered_line,
    ) -> None:
        super().__init__()
        self.clock = clock or SystemClock()
        self.identity = ServiceIdentity(
            settings.service_name, read_private_key(settings.service_key_file), self.clock
        )
        self.guards = Guards(
            authenticator=Authenticator(
                UserTokens(KeySet.from_file(settings.jwks_file), self.clock),
                ServiceTokens(KeySet.from_file(settings.service_jwks_file), self.clock),
            ),
            tracing=tracing or Tracing(),
            answered_line=line,
        )
        self.failed = False
        self._stopping = asyncio.Event()
        self._starting: asyncio.Task[Any] | None = None
        self._workers: list[asyncio.Task[Any]] = []

    async def connect(
        self, name: str, addresses: Sequence[str], settings: ClientSettings | None = None
    ) -> Channel:
        """Open a channel to a peer, under our identity, until the end of the app."""
        return await self.enter_async_context(
            connect(name, addresses, self.identity, settings, self.guards.tracing)
        )

    def background(self, name: str, coro: Coroutine[Any, Any, Any]) -> None:
        """Run a worker until the end of the app. If it raises, the process ends, to be restarted.

        It is cancelled before what was opened on the app is closed.
        """
        task = asyncio.get_running_loop().create_task(coro, name=name)
        task.add_done_callback(self._worker_ended)
        self._workers.append(task)

    def stop(self) -> None:
        """Ask for the end; `stopped` returns then."""
        self._stopping.set()
        if self._starting is not None:
            self._starting.cancel()

    async def stopped(self) -> None:
        """Wait until somebody asks for the end, or a worker has failed."""
        await self._stopping.wait()

    async def unless_stopped(self, starting: Coroutine[Any, Any, T]) -> T | None:
        """Return what `starting` returns, or None when the end was asked for first.

        It runs in the caller's task, so that what it opens may belong to that task.
        """
        task = self._starting = asyncio.current_task()
        assert task is not None
        try:
            return await starting
        except asyncio.CancelledError:
            if not self._stopping.is_set() or task.uncancel() > 0:
                raise
            return None
        finally:
            self._starting = None

    def _worker_ended(self, task: asyncio.Task[Any]) -> None:
        if task.cancelled():
            return
        if error := task.exception():
            _log.error("worker failed", worker=task.get_name(), exc_info=error)
            self.failed = True
            self.stop()
        else:
            _log.info("worker ended", worker=task.get_name())

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        for task in self._workers:
            task.cancel()
        if self._workers:
            _, late = await asyncio.wait(self._workers, timeout=_UNWIND_SECONDS)
            for task in late:
                _log.error("worker ignores its cancel", worker=task.get_name())
        await loop_drain().close()
        return await super().__aexit__(exc_type, exc, traceback)


async def serve(
    build: Build[SettingsT],
    settings: SettingsT,
    *,
    tracing: Tracing | None = None,
    line: AnsweredLine = answered_line,
    reuse_port: bool = False,
) -> int:
    """Build, serve until SIGTERM or SIGINT, end in order; return the exit code."""
    async with watched_loop(), App(settings, tracing=tracing, line=line) as app:
        with _signals(app.stop):
            code = await _serve(build, settings, app, reuse_port)
    _log.info("stopped", code=code)
    return code


async def _serve(build: Build[SettingsT], settings: SettingsT, app: App, reuse_port: bool) -> int:
    mounts = await app.unless_stopped(build(settings, app))
    if mounts is None:
        return 1 if app.failed else 0
    server_settings = ServerSettings(
        listen=settings.listen,
        reuse_port=reuse_port,
        max_concurrent_rpcs=settings.max_concurrent_rpcs,
        lame_duck_seconds=settings.lame_duck_seconds,
        grace_seconds=settings.grace_seconds,
    )
    async with Server(server_settings, mounts, app.guards) as server:
        _tune_gc()
        _log.info("ready", listen=server.address, services=[m.service for m in mounts])
        await app.stopped()
        _log.info("stopping")
        await server.drain()
    return 1 if app.failed else 0


def run(build: Build[SettingsT], settings: SettingsT) -> NoReturn:
    """Run a service, or another role of it with no servicers but health, and exit."""
    child = is_child()
    if settings.processes > 1 and not child:
        sys.exit(run_processes(settings.processes, os.environ, settings.metrics_listen))
    writer = setup_logs(settings.service_name, settings.log_level)
    code = 1
    try:
        with (
            metrics_endpoint(settings.metrics_listen),
            tracing(settings.service_name, settings.otlp_url) as spans,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            line = quick_line(settings.service_name, writer, settings.log_level)
            code = runner.run(serve(build, settings, tracing=spans, line=line, reuse_port=child))
    except KeyboardInterrupt:
        code = 130
    except Exception:
        _log.error("cannot run", exc_info=True)
    finally:
        writer.flush()
    sys.exit(code)


def main(
    build: Build[SettingsT],
    settings_class: type[SettingsT],
    *,
    migrate: Callable[[SettingsT], object] | None = None,
    roles: Mapping[str, Build[SettingsT]] | None = None,
) -> NoReturn:
    """Be `python -m <service>`: no argument serves; `migrate` and the names of roles do those."""
    verbs: dict[str, Callable[[SettingsT], object]] = {"serve": lambda s: run(build, s)}
    for name, role in (roles or {}).items():
        verbs[name] = lambda s, role=role: run(role, s)  # type: ignore[misc]
    if migrate is not None:
        verbs["migrate"] = migrate
    verb = verbs.get(sys.argv[1] if len(sys.argv) > 1 else "serve")
    if verb is None:
        sys.exit(f"say nothing, or one of: {', '.join(verbs)}")
    verb(read_settings(settings_class))
    sys.exit(0)


def read_settings(settings_class: type[SettingsT]) -> SettingsT:
    """Read the environment; exit with one line for each variable that is missing or wrong."""
    try:
        return settings_class()  # type: ignore[call-arg]  # the environment is the arguments
    except ValidationError as error:
        lines = [f"STAYMESH_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors()]
        sys.exit("\n".join(lines))


@contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` at the first SIGTERM or SIGINT; the next one ends the process at once."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)

    def first() -> None:
        for number in signals:
            loop.remove_signal_handler(number)
        stop()

    for number in signals:
        loop.add_signal_handler(number, first)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


def _tune_gc() -> None:
    """Leave what start-up made out of every collection, and collect seldom.

    Most objects of a request die by reference count; fewer collections are fewer pauses, and fewer
    chances for the deadlock of grpc#43421.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
