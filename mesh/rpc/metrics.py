"""Counts and latencies of calls, kept as plain numbers and shown to Prometheus when it asks.

prometheus_client's own counters take a lock and several calls for each number; on the path of
every call that is a tenth of its cost. Here one event loop writes and the scraper's thread reads.
"""

from bisect import bisect_left
from collections.abc import Iterator

import grpc
from prometheus_client import REGISTRY
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_LABELS = (*(str(bound) for bound in _BOUNDS), "+Inf")


class MethodMetrics:
    """The numbers of one method."""

    __slots__ = ("by_bucket", "by_code", "seconds")

    def __init__(self) -> None:
        self.by_code: dict[grpc.StatusCode, int] = {}
        self.by_bucket = [0] * len(_LABELS)
        self.seconds = 0.0

    def count(self, code: grpc.StatusCode, seconds: float) -> None:
        """Count one call that ended with `code` after `seconds`. For the event loop's thread."""
        self.by_code[code] = self.by_code.get(code, 0) + 1
        self.by_bucket[bisect_left(_BOUNDS, seconds)] += 1
        self.seconds += seconds


class CallMetrics(Collector):
    """The numbers of all methods on one side: `<prefix>_handled_total`, `_latency_seconds`."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._methods: dict[str, MethodMetrics] = {}

    def of(self, method: str) -> MethodMetrics:
        """Return the numbers of a method, from 0 at its first mention."""
        return self._methods.setdefault(method, MethodMetrics())

    def collect(self) -> Iterator[Metric]:
        """Yield what Prometheus is shown."""
        handled = CounterMetricFamily(
            f"{self._prefix}_handled",
            "Calls that ended, by method and gRPC code.",
            labels=("method", "code"),
        )
        latency = HistogramMetricFamily(
            f"{self._prefix}_latency_seconds", "How long calls took.", labels=("method",)
        )
        for method, numbers in list(self._methods.items()):
            for code, count in list(numbers.by_code.items()):
                handled.add_metric((method, code.name), count)
            total, buckets = 0, []
            for label, count in zip(_LABELS, numbers.by_bucket, strict=True):
                total += count
                buckets.append((label, float(total)))
            latency.add_metric((method,), buckets, numbers.seconds)
        yield handled
        yield latency


SERVED = CallMetrics("rpc_server")
CALLED = CallMetrics("rpc_client")
REGISTRY.register(SERVED)
REGISTRY.register(CALLED)
