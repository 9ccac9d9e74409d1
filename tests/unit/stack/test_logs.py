"""The end of a log, and what is written after it."""

from pathlib import Path

from stack.commands.logs import Tail


def test_the_last_lines_and_then_the_new_ones(tmp_path: Path) -> None:
    log = tmp_path / "part.log"
    log.write_text("one\ntwo\nthree\n")
    tail = Tail(log, "p | ")
    assert list(tail.last(2)) == ["p | two", "p | three"]
    with log.open("a") as out:
        out.write("four\nfi")
    assert list(tail.new()) == ["p | four"]
    with log.open("a") as out:
        out.write("ve\n")
    assert list(tail.new()) == ["p | five"]


def test_a_log_that_was_begun_anew_is_read_from_its_start(tmp_path: Path) -> None:
    log = tmp_path / "part.log"
    log.write_text("a long line of before\n")
    tail = Tail(log, "")
    assert list(tail.last(5)) == ["a long line of before"]
    log.write_text("new\n")
    assert list(tail.new()) == ["new"]


def test_of_a_large_log_only_the_end_is_read(tmp_path: Path) -> None:
    log = tmp_path / "part.log"
    log.write_text("".join(f"line {number}\n" for number in range(50_000)))
    assert list(Tail(log, "").last(2)) == ["line 49998", "line 49999"]
