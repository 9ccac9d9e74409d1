"""Say which of the candidates are free for a stay, and what they cost: a shard's one question.

1. look at the columns of the candidates; nothing is awaited
"""

from collections.abc import Sequence
from dataclasses import dataclass

from search_svc.domain.shard import Found, ShardState
from search_svc.domain.stay import Stay


@dataclass(frozen=True, kw_only=True)
class CheckAvailability:
    """Answers from memory."""

    state: ShardState

    async def __call__(self, stay: Stay, listing_ids: Sequence[str]) -> list[Found]:
        """Return the free ones, in the order asked."""
        return self.state.check(listing_ids, stay)
