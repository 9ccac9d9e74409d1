"""Rows that cannot be loaded, counted by reason."""

from collections import Counter


class RejectedRow(Exception):
    """A row that cannot be loaded; `reason` is a word to count by."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Rejects:
    """How many rows of each file were rejected, and why."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()

    def count(self, file: str, reason: str) -> None:
        """Count one rejected row of `file`."""
        self.counts[file, reason] += 1

    def total(self, file: str) -> int:
        """Return how many rows of `file` were rejected."""
        return sum(n for (name, _), n in self.counts.items() if name == file)
