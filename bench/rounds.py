"""A round of calls by some clients at once, in a process of its own, so that it starts like new."""

import gc
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter
from typing import Final, TypeVar

from bench.timings import Timings
from mesh.aio import Group, within

T = TypeVar("T")
_LONGEST_ROUND_SECONDS: Final = 900.0


def run_round(module: str, *arguments: object) -> Timings:
    """Run `python -m module ...` and return what it has seen. Raise RuntimeError if it fails."""
    argv = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{module} failed:\n{done.stderr[-2000:]}")
    return Timings(**json.loads(done.stdout))


async def closed_loop(
    clients: Sequence[Sequence[T]], call: Callable[[T], Awaitable[None]]
) -> Timings:
    """Let each client make its calls one after the other, all clients at once."""
    seconds: list[float] = []

    async def one(work: Sequence[T]) -> None:
        for item in work:
            before = perf_counter()
            await call(item)
            seconds.append(perf_counter() - before)

    gc.collect()
    gc.freeze()
    async with within(_LONGEST_ROUND_SECONDS):  # a request has a deadline, so we have one
        started = perf_counter()
        async with Group() as group:
            for work in clients:
                await group.go(one(work))
        return Timings.of(seconds, perf_counter() - started)


def report(timings: Timings) -> None:
    """Print a round for `run_round`."""
    print(json.dumps(timings.to_json()))
