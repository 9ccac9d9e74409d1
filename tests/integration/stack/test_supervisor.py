"""The supervisor on small processes: order, restarts, clear failures, nothing left behind."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
import pytest

from stack import preflight, process
from stack.errors import NotReady, StackError
from stack.parts.part import Node, Part, Say, Step
from stack.process import Command
from stack.state import PartStatus, Status
from stack.supervisor import Supervisor

SLEEPER = "import signal; signal.pause()"


def part(
    folder: Path,
    name: str,
    code: str = SLEEPER,
    *,
    needs: tuple[str, ...] = (),
    ready: Callable[[], Awaitable[None]] | None = None,
    stop_seconds: float = 10.0,
) -> Part:
    async def at_once() -> None:
        return

    argv = (sys.executable, "-c", code)
    return Part(
        name=name,
        command=Command(argv=argv, env=dict(os.environ), cwd=folder),
        ready=ready or at_once,
        needs=needs,
        stop_seconds=stop_seconds,
    )


class Run:
    """A supervisor at work, and ways to wait for what it says."""

    def __init__(self, folder: Path, *nodes: Node) -> None:
        self.status = Status()
        self.history: list[tuple[str, str]] = []
        self.stop = asyncio.Event()
        self.ready = asyncio.Event()
        self._changed = asyncio.Event()
        supervisor = Supervisor(nodes, self.status, logs=folder, changed=self._note)
        self.task = asyncio.create_task(supervisor.run(all_ready=self.ready.set, stop=self.stop))

    def _note(self) -> None:
        for name, found in self.status.parts.items():
            if [s for n, s in self.history if n == name][-1:] != [found.state]:
                self.history.append((name, found.state))
        self._changed.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def until_ready(self) -> None:
        waiting = asyncio.create_task(self.ready.wait())
        await asyncio.wait({waiting, self.task}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        assert self.ready.is_set(), self.task

    async def end(self) -> None:
        self.stop.set()
        await self.task

    def pid(self, name: str) -> int:
        pid = self.status.parts[name].pid
        assert pid is not None
        return pid


async def test_a_part_starts_after_what_it_needs_and_stops_before_it(tmp_path: Path) -> None:
    run = Run(tmp_path, part(tmp_path, "app", needs=("store",)), part(tmp_path, "store"))
    await run.until_ready()
    await run.end()
    order = run.history
    assert order.index(("store", "ready")) < order.index(("app", "starting"))
    assert order.index(("app", "stopped")) < order.index(("store", "stopping"))


async def test_a_part_that_is_killed_comes_back(tmp_path: Path) -> None:
    run = Run(tmp_path, part(tmp_path, "app"))
    await run.until_ready()
    first = run.pid("app")
    os.kill(first, signal.SIGKILL)
    await run.until(lambda: run.status.parts["app"].restarts == 1 and run.pid("app") != first)
    await run.until(lambda: run.status.parts["app"].state == "ready")
    assert ("app", "restarting") in run.history
    await run.end()


async def test_a_part_that_never_gets_ready_ends_the_start_with_its_last_words(
    tmp_path: Path,
) -> None:
    async def never() -> None:
        raise NotReady("no")

    failing = part(tmp_path, "app", "import sys; sys.exit('no such table')", ready=never)
    run = Run(tmp_path, part(tmp_path, "store"), failing)
    with pytest.raises(StackError, match=r"app does not start: ended with code 1.*no such table"):
        await run.task
    assert run.status.parts["store"].state == "stopped"


async def test_a_part_that_dies_again_and_again_is_called_crash_looping(tmp_path: Path) -> None:
    seen = 0

    async def ready_at_first() -> None:
        nonlocal seen
        seen += 1

    run = Run(tmp_path, part(tmp_path, "app", "import time; time.sleep(0.3)", ready=ready_at_first))
    await run.until_ready()
    await run.until(lambda: run.status.parts["app"].state == "crash-looping")
    await run.end()


async def test_a_step_that_fails_stops_what_had_started(tmp_path: Path) -> None:
    async def fail(_say: Say) -> None:
        raise StackError("the migrations failed")

    run = Run(tmp_path, part(tmp_path, "store"), Step(name="migrate", run=fail, needs=("store",)))
    with pytest.raises(StackError, match="the migrations failed"):
        await run.task
    assert run.status.parts["store"].state == "stopped"
    assert run.status.parts["store"].pid is None


async def test_a_part_that_ignores_its_signal_is_killed_with_its_children(tmp_path: Path) -> None:
    stubborn = (
        "import signal, subprocess, sys;"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        f"subprocess.Popen([sys.executable, '-c', {SLEEPER!r}]);"
        "open('ready', 'w').close();"
        "signal.pause()"
    )

    async def ready() -> None:
        if not (tmp_path / "ready").exists():
            raise NotReady("not yet")

    run = Run(tmp_path, part(tmp_path, "app", stubborn, ready=ready, stop_seconds=0.2))
    await run.until_ready()
    family = [psutil.Process(run.pid("app"))]
    family += family[0].children()
    await run.end()
    assert len(family) == 2
    _, alive = psutil.wait_procs(family, timeout=5)
    assert alive == []


async def test_children_die_when_the_supervisor_is_killed_outright(tmp_path: Path) -> None:
    code = f"""
import asyncio, os, sys
from pathlib import Path
from stack import process
async def main():
    command = process.Command(
        argv=(sys.executable, "-c", {SLEEPER!r}), env=dict(os.environ), cwd=Path("."))
    child = await process.start(command, log=1)
    print(child.pid, flush=True)
    await child.wait()
asyncio.run(main())
"""
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    child = psutil.Process(int(await parent.stdout.readline()))
    parent.kill()
    await parent.wait()
    _, alive = psutil.wait_procs([child], timeout=10)
    assert alive == []


async def test_a_taken_port_is_named_with_who_holds_it(tmp_path: Path) -> None:
    server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        expected = rf"port {port}, wanted by envoy, is taken by .*\(process {os.getpid()}\)"
        with pytest.raises(StackError, match=expected):
            preflight.require_free([("envoy", port)])
    preflight.require_free([("envoy", port)])


def _status_of(pid: int, shift_seconds: float) -> PartStatus:
    return PartStatus(pid=pid, created=psutil.Process(pid).create_time() + shift_seconds)


async def test_what_a_killed_stack_left_is_ended_but_not_a_later_process_of_that_number(
    tmp_path: Path,
) -> None:
    command = Command(argv=(sys.executable, "-c", SLEEPER), env=dict(os.environ), cwd=tmp_path)
    log = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
    left = await process.start(command, log=log)
    other = await process.start(command, log=log)
    os.close(log)
    previous = Status()
    previous.parts["left"] = _status_of(left.pid, 0.0)
    previous.parts["other"] = _status_of(other.pid, -3600.0)
    waiting = asyncio.create_task(left.wait())
    await asyncio.to_thread(preflight.end_leftovers, previous, grace_seconds=0.2)
    await waiting
    assert psutil.Process(other.pid).is_running()
    process.kill_group(other)
    await other.wait()
