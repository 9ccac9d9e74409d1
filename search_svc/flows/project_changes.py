"""Take what booking told of listings and calendars into the projection.

1. write a batch, and the offsets after it, in one transaction
2. let the listings in it be indexed
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mesh.clock import Clock
from search_svc.domain.days import window_start
from search_svc.domain.heard import Heard
from search_svc.flows.needs import Projection


@dataclass(frozen=True, kw_only=True)
class ProjectChanges:
    """Each record has its effect once, however often it comes."""

    projection: Projection
    clock: Clock
    on_listings: Callable[[], None]
    """Called after a batch with listings in it has committed."""

    async def __call__(self, batch: Sequence[Heard]) -> None:
        """Take a batch; raise what the database raises, with nothing done."""
        if await self.projection.apply(batch, window_start(self.clock.now())):
            self.on_listings()
