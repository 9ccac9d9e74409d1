"""One line of JSON for each event, whoever logs it."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from mesh.aio import use_context
from mesh.aio.context import Principal, RequestContext, TraceContext
from mesh.telemetry import LineWriter, quick_line, setup_logs

REQUEST = RequestContext(
    request_id="r-1",
    trace=TraceContext("ab" * 16, "cd" * 8),
    principal=Principal('usr_"1"'),
    service="search",
)


class Logs:
    """A stream that logs go to, and what has arrived there."""

    def __init__(self) -> None:
        self.stream = io.StringIO()
        self.writer = setup_logs("booking", "INFO", self.stream)

    def lines(self) -> list[dict[str, str]]:
        self.writer.flush()
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]


@pytest.fixture
def logs() -> Iterator[Logs]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield Logs()
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_an_event_is_one_line_with_the_ids_of_its_request(logs: Logs) -> None:
    with use_context(REQUEST):
        structlog.get_logger().info("held", nights=3)
    (line,) = logs.lines()
    assert line.pop("ts").endswith("+00:00")
    assert line == {
        "level": "info",
        "service": "booking",
        "request_id": "r-1",
        "trace_id": "ab" * 16,
        "user_id": 'usr_"1"',
        "event": "held",
        "nights": 3,
    }


def test_outside_a_request_there_are_no_ids(logs: Logs) -> None:
    structlog.get_logger().info("ready")
    assert set(logs.lines()[0]) == {"ts", "level", "service", "event"}


def test_an_exception_is_part_of_its_line(logs: Logs) -> None:
    try:
        raise ValueError("a\nb")
    except ValueError:
        structlog.get_logger().error("broken", exc_info=True)
    (line,) = logs.lines()
    assert "Traceback" in line["exception"]
    assert "ValueError: a" in line["exception"]


def test_the_standard_librarys_logging_goes_the_same_way(logs: Logs) -> None:
    logging.getLogger("some.library").warning("slow by %d ms", 7)
    logging.getLogger("some.library").debug("unsaid")
    (line,) = logs.lines()
    assert (line["event"], line["logger"]) == ("slow by 7 ms", "some.library")
    assert line["level"] == "warning"


def test_what_is_below_the_level_is_not_said(logs: Logs) -> None:
    structlog.get_logger().debug("unsaid")
    assert logs.lines() == []
    quiet = quick_line("booking", logs.writer, "WARNING")
    quiet("/a/B", 1.0, REQUEST)
    assert logs.lines() == []


@pytest.mark.parametrize("context", [REQUEST, RequestContext(request_id="r-2")])
def test_the_quick_line_says_what_the_usual_one_would(logs: Logs, context: RequestContext) -> None:
    quick_line("booking", logs.writer, "INFO")("/a/B", 1.234, context)
    facts = {"caller": context.service} if context.service else {}
    with use_context(context):
        structlog.get_logger().info("rpc", method="/a/B", code="OK", ms=1.23, **facts)
    quick, usual = logs.lines()
    assert quick | {"ts": ""} == usual | {"ts": ""}


def test_lines_are_kept_in_order_and_the_newest_are_dropped_when_there_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mesh.telemetry._MAX_LINES", 3)
    monkeypatch.setattr("mesh.telemetry.LineWriter._run", lambda _: None)
    stream = io.StringIO()
    writer = LineWriter(stream)
    for number in range(5):
        writer.write(str(number))
    writer.flush()
    assert stream.getvalue() == "0\n1\n2\n"


def test_a_reader_that_has_gone_stops_nobody() -> None:
    stream = io.StringIO()
    writer = LineWriter(stream)
    stream.close()
    writer.write("unheard")
    writer.flush()
