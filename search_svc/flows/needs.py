"""What the flows need from outside; `clients` and `store` give it."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from search_svc.domain.candidates import Batch
from search_svc.domain.heard import Heard
from search_svc.domain.listing import Listing, Position
from search_svc.domain.place import Area, Place, Point
from search_svc.domain.search import Criteria
from search_svc.domain.stay import Stay, StayPrice


class Places(Protocol):
    """Something that knows where places are."""

    def find(self, text: str) -> Place:
        """Return the place that `text` names; raise PlaceNotFound."""
        ...


class CandidateSource(Protocol):
    """Somewhere listings can be looked for."""

    async def candidates(self, criteria: Criteria, after: Position | None, size: int) -> Batch:
        """Return the next candidates after a position, best first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundBatch:
    """Candidates, and the names of the parts that were down when they were looked for."""

    batch: Batch
    missing: tuple[str, ...] = ()


class CandidateCache(Protocol):
    """Somewhere batches are kept for a while."""

    async def get(
        self, key: str, load: Callable[[], Awaitable[FoundBatch | None]]
    ) -> FoundBatch | None:
        """Return the batch kept under `key`, else what `load` returns."""
        ...


class Generations(Protocol):
    """What tells a cached batch that it is outdated."""

    async def of(self, area: Area) -> str:
        """Return what changes when a listing in the area has changed in the index."""
        ...

    async def advance(self, points: Iterable[Point]) -> None:
        """Tell that listings at these points have changed in the index."""
        ...


class AvailabilityShards(Protocol):
    """The processes that know which nights are free."""

    @property
    def count(self) -> int:
        """Return how many shards there are."""
        ...

    def holder(self, listing_id: str) -> int:
        """Return the index of the shard that holds a listing."""
        ...

    async def check(
        self, index: int, stay: Stay, listing_ids: Sequence[str]
    ) -> Mapping[str, StayPrice]:
        """Ask one shard which of its listings are free, and for how much."""
        ...


class ListingIndex(Protocol):
    """Where listings are indexed."""

    async def ensure(self, refresh_seconds: int) -> bool:
        """Make the index if there is none; return whether it was made."""
        ...

    async def write(self, listings: Sequence[Listing]) -> None:
        """Bring documents up to these versions."""
        ...

    async def refresh(self) -> None:
        """Let searches see all that was written."""
        ...


class IndexedListings(Protocol):
    """The projection, as far as it knows what is indexed."""

    async def waiting(self, count: int) -> list[Listing]:
        """Return listings whose newest version is not indexed yet."""
        ...

    async def mark_indexed(self, versions: Mapping[str, int]) -> None:
        """Note the versions that are indexed."""
        ...

    async def forget_indexed(self) -> None:
        """Let every listing be indexed again."""
        ...


class Projection(Protocol):
    """The projection, as far as it is written."""

    async def apply(self, batch: Sequence[Heard], first_day: int) -> bool:
        """Take records and their offsets in one transaction; tell whether there were listings."""
        ...
