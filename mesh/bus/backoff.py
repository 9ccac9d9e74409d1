"""How long to wait for a part that is away, when there is no request whose time runs out."""

import asyncio
import random
from typing import Final

_FIRST_SECONDS: Final = 0.1
_LONGEST_SECONDS: Final = 5.0


class Backoff:
    """Growing pauses with jitter, for a worker that waits for as long as it takes."""

    def __init__(self, longest_seconds: float = _LONGEST_SECONDS) -> None:
        self._longest = longest_seconds
        self.failures = 0

    def reset(self) -> None:
        """Start anew: it worked."""
        self.failures = 0

    async def pause(self) -> None:
        """Sleep between half and all of the current pause, then double it."""
        longest = min(self._longest, _FIRST_SECONDS * 2.0 ** min(self.failures, 16))
        self.failures += 1
        await asyncio.sleep(random.uniform(longest / 2, longest))  # noqa: S311  (jitter)
