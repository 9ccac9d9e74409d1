"""Hands listings, their hosts and their reviews to the services, for every importer."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

from staymesh.accounts.v1 import accounts_pb2, accounts_pb2_grpc
from staymesh.booking.v1 import listings_pb2, listings_pb2_grpc
from staymesh.reviews.v1 import reviews_pb2, reviews_pb2_grpc

T = TypeVar("T")
Record = tuple[accounts_pb2.ImportedUser, listings_pb2.ImportedListing]
Progress = Callable[[int], None]
"""Told how many more records the services have been given."""

_LISTINGS_A_BATCH = 100
_REVIEWS_A_BATCH = 500


@dataclass(kw_only=True)
class Services:
    """The stubs that a load needs."""

    users: "accounts_pb2_grpc.UserServiceAsyncStub"
    listings: "listings_pb2_grpc.ListingImportServiceAsyncStub"
    reviews: "reviews_pb2_grpc.ReviewServiceAsyncStub"


@dataclass(kw_only=True)
class Loaded:
    """What a load did."""

    hosts_created: int = 0
    listings_created: int = 0
    listings_unchanged: int = 0
    nights: int = 0
    reviews_created: int = 0
    reviews_unchanged: int = 0
    listing_ids: dict[str, str] = field(default_factory=dict)
    """Our ids by the source's."""


async def load_listings(
    services: Services, source: str, records: Iterable[Record], progress: Progress
) -> Loaded:
    """Load hosts and listings. Loading the same source again changes nothing."""
    loaded = Loaded()
    requests = _with_hosts(services, source, records, progress, loaded)
    answer = await services.listings.ImportListings(requests)
    loaded.listings_created = answer.created
    loaded.listings_unchanged = answer.unchanged
    loaded.nights = answer.nights
    loaded.listing_ids = {known.source_id: known.listing_id for known in answer.ids}
    return loaded


async def load_reviews(
    services: Services,
    source: str,
    reviews: Iterable[reviews_pb2.ImportedReview],
    progress: Progress,
    loaded: Loaded,
) -> None:
    """Load reviews and add what was done to `loaded`."""

    async def requests() -> AsyncIterator[reviews_pb2.ImportReviewsRequest]:
        for batch in _batches(reviews, _REVIEWS_A_BATCH):
            yield reviews_pb2.ImportReviewsRequest(source=source, reviews=batch)
            progress(len(batch))

    answer = await services.reviews.ImportReviews(requests())
    loaded.reviews_created = answer.created
    loaded.reviews_unchanged = answer.unchanged


async def _with_hosts(
    services: Services,
    source: str,
    records: Iterable[Record],
    progress: Progress,
    loaded: Loaded,
) -> AsyncIterator[listings_pb2.ImportListingsRequest]:
    """Yield batches of listings whose hosts are known to accounts."""
    known: dict[str, str] = {}
    for batch in _batches(records, _LISTINGS_A_BATCH):
        new = {host.source_id: host for host, _ in batch if host.source_id not in known}
        if new:
            request = accounts_pb2.ImportUsersRequest(source=source, users=list(new.values()))
            answer = await services.users.ImportUsers(request)
            known |= dict(zip(new, answer.user_ids, strict=True))
            loaded.hosts_created += answer.created
        for host, record in batch:
            record.listing.host_id = known[host.source_id]
        listings = [record for _, record in batch]
        yield listings_pb2.ImportListingsRequest(source=source, listings=listings)
        progress(len(batch))


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
