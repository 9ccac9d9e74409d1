"""Protobuf to domain and back; pure."""

from collections.abc import Sequence
from datetime import UTC

from google.protobuf.timestamp_pb2 import Timestamp
from staymesh.reviews.v1 import reviews_pb2 as pb

from reviews_svc.domain.review import Review, imported_review


def review(value: Review) -> pb.Review:
    """Return a review as everybody may read it."""
    published = Timestamp()
    published.FromDatetime(value.published_at.astimezone(UTC))
    return pb.Review(
        review_id=value.review_id,
        listing_id=value.listing_id,
        reviewer_name=value.reviewer_name,
        text=value.text,
        rating=value.rating,
        publish_time=published,
    )


def imported(message: pb.ImportReviewsRequest) -> Sequence[Review]:
    """Read a batch from elsewhere; raise ReviewDateInvalid."""
    return [
        imported_review(
            message.source,
            item.source_id,
            listing_id=item.listing_id,
            reviewer_name=item.reviewer_name,
            text=item.text,
            day=item.date,
        )
        for item in message.reviews
    ]
