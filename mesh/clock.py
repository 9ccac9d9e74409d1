"""Wall-clock time as something handed in, so that a test decides what time it is.

Durations and deadlines do not use it: they are monotonic event-loop time (see `mesh.aio.context`).
"""

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tell the time of day. Flows are given one; the domain is given its `now`."""

    def now(self) -> datetime:
        """Return the current instant, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the current instant, aware, in UTC."""
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands still until it is moved; for tests and for seeded worlds."""

    def __init__(self, now: datetime) -> None:
        self.set(now)

    def now(self) -> datetime:
        """Return the instant it was set to, in UTC."""
        return self._now

    def set(self, now: datetime) -> None:
        """Move to `now`; raise ValueError when it has no time zone."""
        if now.tzinfo is None:
            raise ValueError("a clock is set to an aware datetime")
        self._now = now.astimezone(UTC)

    def advance(self, by: timedelta) -> datetime:
        """Move by `by` (which may be negative) and return the new instant."""
        self._now += by
        return self._now


def epoch_ms(instant: datetime) -> int:
    """Return whole milliseconds since 1970-01-01 UTC, rounded down; exact, no floats.

    Raise ValueError when `instant` has no time zone.
    """
    if instant.tzinfo is None:
        raise ValueError("an instant is an aware datetime")
    return (instant - _EPOCH) // timedelta(milliseconds=1)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
