"""One log line and two metrics for each call that we answer."""

from collections.abc import Callable
from time import perf_counter
from typing import Any

import grpc
import structlog

from mesh.aio.context import RequestContext, rc
from mesh.rpc.metrics import SERVED

_log = structlog.stdlib.get_logger("mesh.rpc")
# Codes that say the fault is ours, not the caller's.
_OUR_FAULT = frozenset(
    {grpc.StatusCode.INTERNAL, grpc.StatusCode.DATA_LOSS, grpc.StatusCode.UNKNOWN}
)

AnsweredLine = Callable[[str, float, RequestContext], None]
"""Write the line of a call that went well: its method, its milliseconds, its context."""


def answered_line(method: str, ms: float, context: RequestContext) -> None:
    """Write it through structlog. `mesh.telemetry` has a quicker one for a process of its own."""
    facts = {"caller": context.service} if context.service else {}
    _log.info("rpc", method=method, code="OK", ms=round(ms, 2), **facts)


class ServedCalls:
    """What is told about the calls of one method."""

    __slots__ = ("_answered", "_method", "_metrics")

    def __init__(self, method: str, answered: AnsweredLine) -> None:
        self._method = method
        self._answered = answered
        self._metrics = SERVED.of(method)

    def answered(self, started: float) -> None:
        """Count and log a call that went well and began at `started` (perf_counter)."""
        seconds = perf_counter() - started
        self._metrics.count(grpc.StatusCode.OK, seconds)
        self._answered(self._method, seconds * 1000, rc())

    def failed(self, code: grpc.StatusCode, started: float, error: BaseException) -> None:
        """Count and log a call that ended with `error`.

        It is logged whole, with its traceback, when the code says that the fault is ours.
        """
        seconds = perf_counter() - started
        self._metrics.count(code, seconds)
        facts: dict[str, Any] = {
            "method": self._method,
            "code": code.name,
            "ms": round(seconds * 1000, 2),
            "reason": getattr(error, "reason", type(error).__name__),
        }
        if (caller := rc().service) is not None:
            facts["caller"] = caller
        if code in _OUR_FAULT:
            # What a peer already logged is not logged again with our own stack.
            told = isinstance(error.__cause__, grpc.aio.AioRpcError)
            _log.error("rpc", **facts, exc_info=None if told else error)
        else:
            _log.info("rpc", **facts)
