"""Keep the parts running: start by dependency, restart what dies, stop in the reverse order."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from stack import preflight, process
from stack.errors import NotReady, StackError
from stack.last_words import last_words
from stack.parts.part import Node, Part, Step
from stack.state import PartStatus, Status

PROBE_EVERY_SECONDS = 0.15
PROBE_LIMIT_SECONDS = 10.0
FIRST_BACKOFF_SECONDS = 0.2
LONGEST_BACKOFF_SECONDS = 10.0
# A part that stayed up this long has recovered: the next death starts the backoff anew.
STEADY_SECONDS = 30.0
DEATHS_BEFORE_GIVING_UP_A_START = 3
DEATHS_THAT_MAKE_A_LOOP = 5
LARGEST_LOG_BYTES = 8_000_000


class Supervisor:
    """Runs a set of parts and steps.

    `changed` is called after each change of `status`. Nothing restarts forever in silence: a part
    that dies before its first readiness ends the start, one that dies later again and again is
    marked `crash-looping` in the status while it is tried every ten seconds.
    """

    def __init__(
        self, nodes: Sequence[Node], status: Status, *, logs: Path, changed: Callable[[], None]
    ) -> None:
        self._nodes = {node.name: node for node in nodes}
        self._status = status
        self._logs = logs
        self._changed = changed
        self._done = {node.name: asyncio.Event() for node in nodes}
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        for node in nodes:
            status.parts[node.name] = PartStatus(address=node.address)

    async def run(self, *, all_ready: Callable[[], None], stop: asyncio.Event) -> None:
        """Start everything, call `all_ready` once, keep it up until `stop`, then stop it.

        Raises StackError when a part cannot be started; what had started is stopped first.
        """
        try:
            await self._keep_all(all_ready, stop)
        except* StackError as failures:
            raise _first(failures) from None
        finally:
            self._status.state = "stopping"
            self._changed()
            await self._stop_all()

    async def _keep_all(self, all_ready: Callable[[], None], stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            keepers = [group.create_task(self._keep(node)) for node in self._nodes.values()]
            watcher = group.create_task(self._announce(all_ready))
            await stop.wait()
            for task in [*keepers, watcher]:
                task.cancel()

    async def _announce(self, all_ready: Callable[[], None]) -> None:
        for done in self._done.values():
            await done.wait()
        all_ready()

    async def _keep(self, node: Node) -> None:
        for name in node.needs:
            await self._done[name].wait()
        started = asyncio.get_running_loop().time()

        def say(note: str) -> None:
            self._mark(node.name, "starting", note)

        say("")
        if isinstance(node, Step):
            await node.run(say)
            self._finish(node.name, "external" if node.external else "done", started)
            return
        if node.prepare is not None:
            await node.prepare(say)
            say("")
        self._trim_log(node.name)
        await self._keep_alive(node, started)

    async def _keep_alive(self, part: Part, started: float) -> None:
        """Start the part again each time it ends, later and later while it does not recover."""
        clock = asyncio.get_running_loop().time
        deaths = 0
        while True:
            born = clock()
            note = await self._live_once(part, started)
            deaths = 1 if clock() - born > STEADY_SECONDS else deaths + 1
            if not self._done[part.name].is_set() and deaths >= DEATHS_BEFORE_GIVING_UP_A_START:
                raise self._start_failure(part, note)
            status = self._status.parts[part.name]
            status.restarts += 1
            looping = deaths >= DEATHS_THAT_MAKE_A_LOOP
            self._mark(part.name, "crash-looping" if looping else "restarting", note)
            backoff = FIRST_BACKOFF_SECONDS * 2 ** (deaths - 1)
            await asyncio.sleep(min(backoff, LONGEST_BACKOFF_SECONDS))

    async def _live_once(self, part: Part, started: float) -> str:
        """Run the part until it ends; return what to say about its end."""
        child = await self._spawn(part)
        slow = await self._until_ready(part, child)
        if slow is None and child.returncode is None:
            self._finish(part.name, "ready", started)
        elif slow is not None:
            process.kill_group(child)
        code = await child.wait()
        # What it may have left behind: its process group is ours to clear.
        process.kill_group(child)
        return slow or _how_it_ended(code, last_words(self._log(part.name)))

    async def _until_ready(self, part: Part, child: asyncio.subprocess.Process) -> str | None:
        """Probe until ready or dead (None), or until it took too long (what it lacks)."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + part.start_seconds
        ended = asyncio.ensure_future(child.wait())
        try:
            while child.returncode is None:
                lack = await _probe(part)
                if lack is None:
                    return None
                if clock() > deadline:
                    return f"not ready after {part.start_seconds:.0f} s: {lack}"
                await asyncio.wait({ended}, timeout=PROBE_EVERY_SECONDS)
            return None
        finally:
            ended.cancel()

    async def _spawn(self, part: Part) -> asyncio.subprocess.Process:
        log = os.open(self._log(part.name), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            child = await process.start(part.command, log=log, stop_signal=part.stop_signal)
        except OSError as failure:
            raise StackError(
                f"{part.name} cannot be started: {failure}", "run `staymesh doctor`"
            ) from failure
        finally:
            os.close(log)
        self._processes[part.name] = child
        status = self._status.parts[part.name]
        status.pid, status.created = child.pid, _created(child.pid)
        self._changed()
        return child

    async def _stop_all(self) -> None:
        """Stop each part once all that need it are gone."""
        gone = {name: asyncio.Event() for name in self._nodes}

        async def stop_one(node: Node) -> None:
            for other in self._nodes.values():
                if node.name in other.needs + other.uses:
                    await gone[other.name].wait()
            if isinstance(node, Part):
                await self._stop_part(node)
            gone[node.name].set()

        async with asyncio.TaskGroup() as group:
            for node in self._nodes.values():
                group.create_task(stop_one(node))

    async def _stop_part(self, part: Part) -> None:
        child = self._processes.get(part.name)
        if child is not None:
            self._mark(part.name, "stopping")
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(part.stop_signal)
            try:
                async with asyncio.timeout(part.stop_seconds):
                    await child.wait()
            except TimeoutError:
                pass
            process.kill_group(child)
            await child.wait()
        self._status.parts[part.name].pid = None
        self._mark(part.name, "stopped")

    def _finish(self, name: str, state: str, started: float) -> None:
        status = self._status.parts[name]
        if not self._done[name].is_set():
            status.took_seconds = round(asyncio.get_running_loop().time() - started, 2)
        self._mark(name, state)
        self._done[name].set()

    def _mark(self, name: str, state: str, note: str = "") -> None:
        status = self._status.parts[name]
        status.state, status.note = state, note
        self._changed()

    def _start_failure(self, part: Part, note: str) -> StackError:
        self._mark(part.name, "failed", note)
        return StackError(f"{part.name} does not start: {note}", f"see `staymesh logs {part.name}`")

    def _log(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def _trim_log(self, name: str) -> None:
        log = self._log(name)
        if log.exists() and log.stat().st_size > LARGEST_LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))


async def _probe(part: Part) -> str | None:
    """Return None when the part is ready, else what it lacks.

    An open port proves nothing, but a closed one is a quick answer: most probes of a start end
    there, and none of them costs a client.
    """
    if part.ports and preflight.is_free(part.ports[0]):
        return f"nothing listens on port {part.ports[0]} yet"
    try:
        async with asyncio.timeout(PROBE_LIMIT_SECONDS):
            await part.ready()
    except NotReady as lack:
        return str(lack)
    except Exception as failure:  # a probe that breaks has found nothing healthy either
        return f"{type(failure).__name__}: {failure}"
    return None


def _how_it_ended(code: int, said: str) -> str:
    how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
    return f"{how}, last said: {said}" if said else how


def _created(pid: int) -> float | None:
    """Return when the process was made: with its id, what tells it from a later one."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return None


def _first(failures: BaseExceptionGroup[StackError]) -> StackError:
    first = failures.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
