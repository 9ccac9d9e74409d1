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
from datetime import UTC, datetime
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, TextIO

import structlog
from prometheus_client import Counter, start_http_server

from mesh.aio.context import RequestContext, rc
from mesh.rpc.observe import AnsweredLine
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

    def handle(self, record: logging.LogRecord) -> bool:
        """Write one record, without the handler's lock: nothing is shared, and gc may run here."""
        kept = self.filter(record)
        if kept:
            self.emit(record)
        return bool(kept)

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


def quick_line(service: str, writer: LineWriter, level: str) -> AnsweredLine:
    """Return what writes the line of a call that went well, as `_Renderer` would, in a tenth of it.

    Most lines of a busy process are these, and all that is in them is known beforehand.
    """
    if logging.getLevelNamesMapping()[level.upper()] > logging.INFO:
        return lambda _method, _ms, _context: None
    fixed = f'"level": "info", "service": {quoted(service)}, "event": "rpc", "code": "OK"'
    write = writer.write

    def line(method: str, ms: float, context: RequestContext) -> None:
        principal = context.principal
        who = f', "user_id": {quoted(principal.user_id)}' if principal is not None else ""
        caller = f', "caller": {quoted(context.service)}' if context.service is not None else ""
        write(
            f'{{"ts": "{_now()}", {fixed}, "request_id": "{context.request_id}", '
            f'"trace_id": "{context.trace.trace_id}"{who}, "method": "{method}", '
            f'"ms": {ms:.2f}{caller}}}'
        )

    return line


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class _Renderer:
    """Make the JSON line of an event, in one step: a chain of processors costs more than the line.

    Within a request its ids are added; they are what a line is found by.
    """

    def __init__(self, service: str) -> None:
        self._service = service
        self._encode = json.JSONEncoder(default=str, check_circular=False).encode
        self._render_exception = structlog.processors.ExceptionRenderer()

    def __call__(self, log: Any, level: str, event: MutableMapping[str, Any]) -> str:
        line = {
            "ts": _now(),
            "level": level,
            "service": self._service,
        }
        context = rc()
        if context.request_id:
            line["request_id"] = context.request_id
            line["trace_id"] = context.trace.trace_id
            if context.principal is not None:
                line["user_id"] = context.principal.user_id
        if "exc_info" in event:
            event = self._render_exception(log, level, event)
        line.update(event)
        return self._encode(line)


def setup_logs(service: str, level: str = "INFO", stream: TextIO | None = None) -> LineWriter:
    """Make structlog and logging write JSON lines to `stream` (stderr), and return the writer.

    Each line has ts, level, service and event; within a request also its ids.
    """
    writer = LineWriter(stream or sys.stderr)
    threshold = logging.getLevelNamesMapping()[level.upper()]

    structlog.configure(
        processors=[_Renderer(service)],
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
