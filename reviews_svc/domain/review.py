"""Reviews of listings, and where they come from."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from mesh.errors import Invalid
from mesh.ids import bucket_of, derive_id
from reviews_svc.domain.text import plain_line, plain_text


class ReviewDateInvalid(Invalid):
    """The date does not exist."""

    reason = "REVIEW_DATE_INVALID"


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A public review; `text` and `reviewer_name` are plain, `rating` is 1 to 5 or None."""

    review_id: str
    listing_id: str
    reviewer_name: str
    text: str
    rating: int | None
    published_at: datetime


def imported_review(
    source: str, source_id: str, *, listing_id: str, reviewer_name: str, text: str, day: str
) -> Review:
    """Return a review from elsewhere; raise ReviewDateInvalid when `day` (ISO) does not exist.

    Its id follows from (source, source id) and lives with its listing; its time part is 0, so that
    a snapshot whose dates were moved is still the same reviews. A date alone counts from midnight
    UTC.
    """
    try:
        published = datetime.combine(date.fromisoformat(day), time(), UTC)
    except ValueError as error:
        raise ReviewDateInvalid(
            f"review {source_id}: no such day", metadata={"source_id": source_id}
        ) from error
    return Review(
        review_id=derive_id(
            "rev", now_ms=0, bucket=bucket_of(listing_id), seed=f"{source}\0{source_id}"
        ),
        listing_id=listing_id,
        reviewer_name=plain_line(reviewer_name),
        text=plain_text(text),
        rating=None,
        published_at=published,
    )
