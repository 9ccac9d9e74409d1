"""The availability shards: each holds the listings of the partitions p with p % n == its index."""

from collections.abc import Sequence

from staymesh.search.v1 import search_pb2_grpc

from mesh.ids import shard_of
from mesh.rpc.client import Channel
from search_svc import convert
from search_svc.domain.stay import Stay, StayPrice


class ShardClients:
    """All shards, by index."""

    def __init__(self, channels: Sequence[Channel]) -> None:
        self._stubs = [search_pb2_grpc.AvailabilityShardServiceStub(c) for c in channels]

    @property
    def count(self) -> int:
        """Return how many shards there are."""
        return len(self._stubs)

    def holder(self, listing_id: str) -> int:
        """Return the index of the shard that holds a listing."""
        return shard_of(listing_id) % self.count

    async def check(
        self, index: int, stay: Stay, listing_ids: Sequence[str]
    ) -> dict[str, StayPrice]:
        """Ask one shard which of its listings are free for a stay, and for how much."""
        question = convert.availability_request(stay, listing_ids)
        return convert.prices(await self._stubs[index].CheckAvailability(question), listing_ids)
