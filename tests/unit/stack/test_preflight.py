"""What is looked at before anything is started."""

from pathlib import Path

import pytest

from stack import preflight
from stack.errors import StackError


def test_a_disk_that_is_nearly_full_is_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(preflight, "NEEDED_BYTES", 10**18)
    with pytest.raises(StackError, match=r"only .* GB are free on the disk of .*/home") as refused:
        preflight.require_disk(tmp_path / "home")
    assert "STAYMESH_HOME" in refused.value.next_step


def test_a_first_start_has_nothing_left_over_to_end() -> None:
    preflight.end_leftovers(None)
