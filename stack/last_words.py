"""What a process said last: the reason that is shown when it has died."""

import json
import os
from pathlib import Path
from typing import Any

READ_BYTES = 65536
LONGEST = 200


def last_words(log: Path) -> str:
    """Return the last line of a log, short; of one of our own log lines, the event and error."""
    with log.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - READ_BYTES))
        lines = file.read().decode(errors="replace").splitlines()
    line = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return _readable(line)[:LONGEST]


def _readable(line: str) -> str:
    try:
        entry: dict[str, Any] = json.loads(line)
        event = str(entry["event"])
    except (ValueError, KeyError, TypeError):
        return line
    raised = str(entry.get("exception", "")).strip().splitlines()
    return f"{event}: {raised[-1].strip()}" if raised else event
