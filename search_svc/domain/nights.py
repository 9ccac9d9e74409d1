"""Day-major bitsets: one row of bits per night, one bit per listing; set: taken.

"Free for these nights" is then an OR over a few rows, for one listing or for all. Rows are a ring:
the row of a night that has gone by becomes the row of the night that comes into the window. Nights
beyond the window wait in a dictionary until it reaches them.
"""

from collections.abc import Iterator
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

WINDOW_DAYS: Final = 512
"""Yesterday and 510 days ahead: bookings end at most 500 days after the listing's own today."""

Ordinals: TypeAlias = NDArray[np.int64]
_WORD_BITS: Final = 64


class NightBits:
    """The taken nights of every listing of a shard, by its ordinal.

    Readers and writers share one thread; a write of one night costs microseconds.
    """

    def __init__(self, first_day: int, capacity: int = 1024) -> None:
        self._first_day = first_day
        self._rows = np.zeros((WINDOW_DAYS, -(-capacity // _WORD_BITS)), dtype=np.uint64)
        self._later: dict[int, set[int]] = {}

    @property
    def first_day(self) -> int:
        """Return the first night that is kept."""
        return self._first_day

    @property
    def end_day(self) -> int:
        """Return the night after the last one of the window."""
        return self._first_day + WINDOW_DAYS

    @property
    def capacity(self) -> int:
        """Return how many listings there is room for."""
        return self._rows.shape[1] * _WORD_BITS

    def grow(self, capacity: int) -> None:
        """Make room, at least doubling it, so that the copying is paid for by what was added."""
        if capacity <= self.capacity:
            return
        words = max(-(-capacity // _WORD_BITS), 2 * self._rows.shape[1])
        rows = np.zeros((WINDOW_DAYS, words), dtype=np.uint64)
        rows[:, : self._rows.shape[1]] = self._rows
        self._rows = rows

    def put(self, ordinal: int, day: int, *, taken: bool) -> None:
        """Set one night. Nights that have gone by are ignored."""
        if day < self._first_day:
            return
        if day >= self.end_day:
            self._put_later(ordinal, day, taken=taken)
            return
        row, word = day % WINDOW_DAYS, ordinal // _WORD_BITS
        bit = np.uint64(1 << ordinal % _WORD_BITS)
        if taken:
            self._rows[row, word] |= bit
        else:
            self._rows[row, word] &= ~bit

    def load(self, ordinal: int, first_day: int, taken: bytes) -> None:
        """Replace all nights of a listing by a bitmap that begins at `first_day`."""
        bits = np.unpackbits(np.frombuffer(taken, dtype=np.uint8), bitorder="little")
        days = first_day + np.flatnonzero(bits)
        inside = days[(days >= self._first_day) & (days < self.end_day)]
        word, bit = ordinal // _WORD_BITS, np.uint64(1 << ordinal % _WORD_BITS)
        self._rows[:, word] &= ~bit
        self._rows[inside % WINDOW_DAYS, word] |= bit
        for day in [day for day, ordinals in self._later.items() if ordinal in ordinals]:
            self._put_later(ordinal, day, taken=False)
        for day in days[days >= self.end_day].tolist():
            self._put_later(ordinal, day, taken=True)

    def any_taken(self, ordinals: Ordinals, first_day: int, end_day: int) -> NDArray[np.bool_]:
        """Return, for each listing, whether a night from `first_day` to before `end_day` is taken.

        Raise ValueError when a night lies outside the window: what is there is not known.
        """
        if not self._first_day <= first_day < end_day <= self.end_day:
            raise ValueError(f"nights {first_day} to {end_day} are not all in the window")
        rows = np.arange(first_day, end_day) % WINDOW_DAYS
        # Gathered by candidate: a page asks for hundreds, and there may be millions.
        words = self._rows[rows[:, None], ordinals // _WORD_BITS]
        bits = np.bitwise_or.reduce(words, axis=0) >> (ordinals % _WORD_BITS).astype(np.uint64)
        taken: NDArray[np.bool_] = (bits & np.uint64(1)).astype(np.bool_)
        return taken

    def roll(self, first_day: int) -> None:
        """Move the window forward; it never moves back."""
        for day in range(self._first_day, min(first_day, self.end_day)):
            self._rows[day % WINDOW_DAYS] = 0
        self._first_day = max(self._first_day, first_day)
        for day in sorted(day for day in self._later if day < self.end_day):
            for ordinal in self._later.pop(day):
                self.put(ordinal, day, taken=True)

    def taken_days(self, ordinal: int) -> Iterator[int]:
        """Yield the taken nights of one listing, in order, those beyond the window too."""
        word, bit = ordinal // _WORD_BITS, np.uint64(1 << ordinal % _WORD_BITS)
        column = (self._rows[:, word] & bit) != 0
        for day in range(self._first_day, self.end_day):
            if column[day % WINDOW_DAYS]:
                yield day
        yield from sorted(day for day, ordinals in self._later.items() if ordinal in ordinals)

    def _put_later(self, ordinal: int, day: int, *, taken: bool) -> None:
        if taken:
            self._later.setdefault(day, set()).add(ordinal)
        elif day in self._later:
            self._later[day].discard(ordinal)
            if not self._later[day]:
                del self._later[day]
