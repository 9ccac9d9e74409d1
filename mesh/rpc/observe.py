"""One log line and two metrics for each call, on either side."""

from time import perf_counter
from typing import Any

import grpc
import structlog
from prometheus_client import Counter, Histogram

from mesh.aio.context import rc

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

SERVED = Counter(
    "rpc_server_handled_total", "Calls answered, by method and gRPC code.", ["method", "code"]
)
SERVED_SECONDS = Histogram(
    "rpc_server_latency_seconds", "Time to answer a call.", ["method"], buckets=_BUCKETS
)
CALLED = Counter(
    "rpc_client_handled_total", "Calls made, by method and gRPC code.", ["method", "code"]
)
CALLED_SECONDS = Histogram(
    "rpc_client_latency_seconds", "Time until a call was answered.", ["method"], buckets=_BUCKETS
)

_log = structlog.stdlib.get_logger("mesh.rpc")
# Codes that say the fault is ours, not the caller's.
_OUR_FAULT = frozenset(
    {grpc.StatusCode.INTERNAL, grpc.StatusCode.DATA_LOSS, grpc.StatusCode.UNKNOWN}
)


class MethodMetrics:
    """The counters of one method, looked up once."""

    __slots__ = ("_by_code", "_counter", "_method", "_seconds")

    def __init__(self, counter: Counter, seconds: Histogram, method: str) -> None:
        self._counter = counter
        self._method = method
        self._seconds = seconds.labels(method)
        self._by_code: dict[grpc.StatusCode, Counter] = {}

    def count(self, code: grpc.StatusCode, seconds: float) -> None:
        """Count one call that ended with `code` after `seconds`."""
        child = self._by_code.get(code)
        if child is None:
            child = self._by_code[code] = self._counter.labels(self._method, code.name)
        child.inc()
        self._seconds.observe(seconds)


class ServedCalls:
    """What is told about the calls of one method that we answer."""

    __slots__ = ("_method", "_metrics")

    def __init__(self, method: str) -> None:
        self._method = method
        self._metrics = MethodMetrics(SERVED, SERVED_SECONDS, method)

    def done(
        self, code: grpc.StatusCode, started: float, error: BaseException | None = None
    ) -> None:
        """Count and log a call that began at `started` (perf_counter).

        `error` is logged whole, with its traceback, when the code says that the fault is ours.
        """
        seconds = perf_counter() - started
        self._metrics.count(code, seconds)
        facts: dict[str, Any] = {
            "method": self._method,
            "code": code.name,
            "ms": round(seconds * 1000, 2),
        }
        if (caller := rc().service) is not None:
            facts["caller"] = caller
        if error is None:
            _log.info("rpc", **facts)
            return
        facts["reason"] = getattr(error, "reason", type(error).__name__)
        if code in _OUR_FAULT:
            # What a peer already logged is not logged again with our own stack.
            told = isinstance(error.__cause__, grpc.aio.AioRpcError)
            _log.error("rpc", **facts, exc_info=None if told else error)
        else:
            _log.info("rpc", **facts)
