"""The servicer: convert in, one flow, convert out."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from staymesh.reviews.v1 import reviews_pb2 as pb
from staymesh.reviews.v1 import reviews_pb2_grpc as rpc

from reviews_svc import convert
from reviews_svc.flows.import_reviews import ImportReviews
from reviews_svc.flows.list_listing_reviews import ListListingReviews


@dataclass(frozen=True, kw_only=True)
class Flows:
    """Every verb of the service."""

    list_listing_reviews: ListListingReviews
    import_reviews: ImportReviews


class ReviewServicer(rpc.ReviewServiceServicer):
    """Reviews of listings."""

    def __init__(self, flows: Flows) -> None:
        self._flows = flows

    async def ListListingReviews(
        self, request: pb.ListListingReviewsRequest, _context: Any
    ) -> pb.ListListingReviewsResponse:
        """Show a page of a listing's reviews."""
        page = await self._flows.list_listing_reviews(
            request.listing_id, request.page_size, request.page_token
        )
        return pb.ListListingReviewsResponse(
            reviews=[convert.review(review) for review in page.reviews],
            next_page_token=page.next_token,
        )

    async def ImportReviews(
        self, requests: AsyncIterator[pb.ImportReviewsRequest], _context: Any
    ) -> pb.ImportReviewsResponse:
        """Load reviews from elsewhere."""
        done = await self._flows.import_reviews(convert.imported(batch) async for batch in requests)
        return pb.ImportReviewsResponse(created=done.created, unchanged=done.unchanged)
