"""The reason shown when a part has died is one short line."""

import json
from pathlib import Path

from stack.last_words import last_words


def test_the_last_line_that_says_something(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("starting\nno space left\n\n")
    assert last_words(log) == "no space left"


def test_of_our_own_log_lines_the_event_and_what_was_raised(tmp_path: Path) -> None:
    log = tmp_path / "log"
    raised = "Traceback (most recent call last):\n  File x\nValueError: not a port"
    log.write_text(json.dumps({"event": "cannot run", "exception": raised}) + "\n")
    assert last_words(log) == "cannot run: ValueError: not a port"


def test_a_log_that_says_nothing(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.touch()
    assert last_words(log) == ""
