"""Logs as JSON lines, metrics for Prometheus, spans for OpenTelemetry.

Nothing here makes a request wait: a log line is put into memory, and a thread writes it out. The
standard library's logging goes the same way, so its lock is never held across I/O (with grpc.aio a
lock held there can deadlock against the garbage collector: grpc#43421).
"""

import atexit
import json
import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, TextIO

import structlog
from prometheus_client import Counter, start_http_server

from mesh.aio.context import rc
from mesh.rpc.tracing import Tracing

_LOST = Counter("log_lines_lost_total", "Log lines dropped because nobody could write them fast.")
_GATHER_SECONDS = 0.02
_MAX_LINES = 50_000


class LineWriter:
    """Write lines from a thread of its own; when it cannot keep up, the newest are dropped.

    `write` never blocks. Lines are gathered for 20 ms, so that a busy process writes in batches.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lines: deque[str] = deque()
        self._wake = threading.Event()
        self._flushing = threading.Lock()
        threading.Thread(target=self._run, name="log-writer", daemon=True).start()
        atexit.register(self.flush)

    def write(self, line: str) -> None:
        """Take one line, without its newline."""
        if len(self._lines) >= _MAX_LINES:
            _LOST.inc()
            return
        self._lines.append(line)
        if not self._wake.is_set():
            self._wake.set()

    def flush(self) -> None:
        """Write out what is there now."""
        with self._flushing:
            lines = []
            while self._lines:
                lines.append(self._lines.popleft())
            if lines:
                try:
                    self._stream.write("\n".join(lines) + "\n")
                    self._stream.flush()
                except (OSError, ValueError):
                    _LOST.inc(len(lines))  # the reader has gone; the service goes on

    def _run(self) -> None:
        while True:
            self._wake.wait()
            time.sleep(_GATHER_SECONDS)
            self._wake.clear()
            self.flush()


class _Logger:
    """What structlog calls at the end: each level is the same."""

    def __init__(self, writer: LineWriter) -> None:
        self.msg = writer.write
        self.debug = self.info = self.warning = self.warn = writer.write
        self.error = self.exception = self.critical = self.fatal = self.log = writer.write


class _StdlibHandler(logging.Handler):
    """Send records of the standard library's logging the same way, as the same JSON."""

    def __init__(self) -> None:
        super().__init__()
        self._log = structlog.stdlib.get_logger()

    def createLock(self) -> None:  # noqa: N802  (logging's own name)
        """Go without: `emit` shares nothing, and no lock is held where gc may run."""
        self.lock = None

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        try:
            self._log.log(
                record.levelno,
                record.getMessage(),
                logger=record.name,
                exc_info=record.exc_info or None,
            )
        except Exception:
            self.handleError(record)


def setup_logs(service: str, level: str = "INFO", stream: TextIO | None = None) -> LineWriter:
    """Make structlog and logging write JSON lines to `stream` (stderr), and return the writer.

    Each line has ts, level, service and event; within a request also its ids.
    """
    writer = LineWriter(stream or sys.stderr)
    threshold = logging.getLevelNamesMapping()[level.upper()]

    def add_service(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["service"] = service
        return event

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            add_service,
            add_request,
            structlog.processors.ExceptionRenderer(),
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
            structlog.processors.JSONRenderer(json.dumps, default=str),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=lambda *_: _Logger(writer),
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.handlers[:] = [_StdlibHandler()]
    root.setLevel(max(threshold, logging.INFO))
    for noisy in ("aiokafka", "elastic_transport", "httpx", "httpcore", "stripe"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    return writer


def add_request(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Add the ids of the running request to a log line; they are what a line is found by."""
    context = rc()
    if context.request_id:
        event["request_id"] = context.request_id
        event["trace_id"] = context.trace.trace_id
        if context.principal is not None:
            event["user_id"] = context.principal.user_id
    return event


@contextmanager
def metrics_endpoint(listen: str) -> Iterator[None]:
    """Serve Prometheus metrics at host:port from a thread; an empty `listen` serves none.

    Raise OSError when the port is taken.
    """
    if not listen:
        yield
        return
    host, _, port = listen.rpartition(":")
    server, thread = start_http_server(int(port), host)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def tracing(service: str, otlp_url: str) -> Iterator[Tracing]:
    """Send spans to the collector at `otlp_url`; without one only ids are passed on."""
    if not otlp_url:
        yield Tracing()
        return
    # A tenth of a second and some megabytes, for those who have a collector.
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    provider = TracerProvider(resource=Resource.create({"service.name": f"staymesh-{service}"}))
    exporter = OTLPSpanExporter(otlp_url, insecure=not otlp_url.startswith("https"))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    try:
        yield Tracing(provider.get_tracer("mesh"))
    finally:
        provider.shutdown()
