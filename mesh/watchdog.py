"""Notice an event loop that is late, and end a process whose loop has stopped.

grpc.aio can, rarely, deadlock against the garbage collector (grpc#43421); a process that answers
nothing and never dies is the worst kind of dead, so a thread looks for a heartbeat and ends it.
"""

import asyncio
import faulthandler
import os
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from prometheus_client import Histogram

_log = structlog.stdlib.get_logger(__name__)
_LAG = Histogram(
    "event_loop_lag_seconds",
    "How late the event loop runs what is due.",
    buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0),
)
_BEAT_SECONDS = 0.25
_LATE_SECONDS = 0.5
_LOOK_SECONDS = 5.0
_LOOKS = 6  # looked at, not clock time: a process that was paused as a whole is not dead
EXIT_CODE = 70


@asynccontextmanager
async def watched_loop() -> AsyncIterator[None]:
    """Measure the running loop's lag, and end the process when it stands still for 30 s."""
    heart = _Heart()
    task = asyncio.get_running_loop().create_task(heart.beat(), name="heartbeat")
    threading.Thread(target=heart.watch, name="watchdog", daemon=True).start()
    try:
        yield
    finally:
        heart.stopped.set()
        task.cancel()
        await asyncio.wait((task,))


class _Heart:
    def __init__(self) -> None:
        self.beats = 0
        self.stopped = threading.Event()

    async def beat(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _BEAT_SECONDS
            await asyncio.sleep(_BEAT_SECONDS)
            self.beats += 1
            lag = max(0.0, loop.time() - due)
            _LAG.observe(lag)
            if lag > _LATE_SECONDS:
                _log.warning("event loop late", seconds=round(lag, 3))

    def watch(self) -> None:
        seen, missed = -1, 0
        while not self.stopped.wait(_LOOK_SECONDS):
            missed = missed + 1 if self.beats == seen else 0
            seen = self.beats
            if missed >= _LOOKS:
                sys.stderr.write("the event loop stands still; ending the process\n")
                faulthandler.dump_traceback(all_threads=True)
                os._exit(EXIT_CODE)
