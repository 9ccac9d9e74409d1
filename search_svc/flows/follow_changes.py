"""Keep a shard up with what booking tells.

1. apply each record in order; versions leave out what the snapshot had already
2. once in a while, move the window of nights on with the calendar
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mesh.clock import Clock
from search_svc.domain.calendar import CalendarChange
from search_svc.domain.days import window_start
from search_svc.domain.heard import Heard
from search_svc.domain.listing import Listing
from search_svc.domain.shard import ShardState, Terms

_ROLL_SECONDS: Final = 60.0


@dataclass(frozen=True, kw_only=True)
class FollowChanges:
    """Writes to the shard that the same process answers from."""

    state: ShardState
    clock: Clock

    async def __call__(self, batch: Sequence[Heard]) -> None:
        """Apply records."""
        for heard in batch:
            match heard.news:
                case Listing() as listing:
                    self.state.put_listing(listing.listing_id, listing.version, Terms.of(listing))
                case CalendarChange() as change:
                    self.state.change_calendar(change)

    def roll(self) -> None:
        """Move the window to today."""
        self.state.roll(window_start(self.clock.now()))

    async def roll_forever(self) -> None:
        """Move the window every minute: it changes once a day."""
        while True:
            self.roll()
            await asyncio.sleep(_ROLL_SECONDS)
