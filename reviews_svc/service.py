"""The servicer: convert in, one flow, convert out."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from staymesh.reviews.v1 import reviews_pb2 as pb
from staymesh.reviews.v1 import reviews_pb2_grpc as rpc

from reviews_svc import convert
from reviews_svc.flows.import_reviews import ImportReviewsFlow
from reviews_svc.flows.list_listing_reviews import ListListingReviewsFlow


@dataclass(frozen=True, kw_only=True)
class ReviewServicer(rpc.ReviewServiceServicer):
    """Reviews of listings."""

    list_listing_reviews: ListListingReviewsFlow
    import_reviews: ImportReviewsFlow

    async def ListListingReviews(
        self, request: pb.ListListingReviewsRequest, _context: Any
    ) -> pb.ListListingReviewsResponse:
        """Show a page of a listing's reviews."""
        page = await self.list_listing_reviews.run(
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
        done = await self.import_reviews.run(convert.imported(batch) async for batch in requests)
        return pb.ImportReviewsResponse(created=done.created, unchanged=done.unchanged)
