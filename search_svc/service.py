"""The servicers: convert in, one flow, convert out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from staymesh.search.v1 import search_pb2 as pb
from staymesh.search.v1 import search_pb2_grpc as rpc

from search_svc import convert
from search_svc.flows.check_availability import CheckAvailability
from search_svc.flows.search_listings import SearchListings


class SearchServicer(rpc.SearchServiceServicer):
    """What guests ask."""

    def __init__(self, search_listings: SearchListings) -> None:
        self._search_listings = search_listings

    async def SearchListings(
        self, request: pb.SearchListingsRequest, _context: Any
    ) -> pb.SearchListingsResponse:
        """Find listings that are free."""
        return convert.response(await self._search_listings(convert.request(request)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardFacts:
    """What a shard says of itself."""

    listings: int
    lag_records: int
    calendar_offsets: dict[int, int]


class ShardServicer(rpc.AvailabilityShardServiceServicer):
    """What the coordinator asks a shard."""

    def __init__(
        self,
        index: int,
        of: int,
        check_availability: CheckAvailability,
        facts: Callable[[], ShardFacts],
    ) -> None:
        self._index = index
        self._of = of
        self._check_availability = check_availability
        self._facts = facts

    async def CheckAvailability(
        self, request: pb.CheckAvailabilityRequest, _context: Any
    ) -> pb.CheckAvailabilityResponse:
        """Say which listings are free."""
        stay = convert.stay(request)
        return convert.availability(await self._check_availability(stay, request.listing_ids))

    async def GetShardStatus(
        self, _request: pb.GetShardStatusRequest, _context: Any
    ) -> pb.GetShardStatusResponse:
        """Say how far behind we are."""
        facts = self._facts()
        return pb.GetShardStatusResponse(
            index=self._index,
            of=self._of,
            listings=facts.listings,
            lag_records=facts.lag_records,
            offsets=facts.calendar_offsets,
        )
