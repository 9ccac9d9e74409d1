"""What a running stack tells other commands."""

from pathlib import Path

import pytest

from stack import state
from stack.errors import StackError
from stack.state import PartStatus, Status


def test_a_second_start_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    second = state.hold(tmp_path)
    with state.hold(tmp_path), pytest.raises(StackError, match="already running"):
        second.__enter__()


def test_the_holder_is_known_while_it_holds(tmp_path: Path) -> None:
    assert state.holder(tmp_path) is None
    with state.hold(tmp_path):
        assert state.holder(tmp_path) is not None
    assert state.holder(tmp_path) is None


def test_a_status_reads_back_as_it_was_written(tmp_path: Path) -> None:
    written = Status(state="ready", pid=1, parts={"valkey": PartStatus(state="ready", pid=2)})
    written.write(tmp_path / state.STATUS_FILE)
    assert state.read(tmp_path) == written
    assert (tmp_path / state.STATUS_FILE).stat().st_mode & 0o077 == 0


def test_a_folder_without_a_stack_has_no_status(tmp_path: Path) -> None:
    assert state.read(tmp_path) is None
