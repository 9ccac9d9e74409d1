"""List a listing's reviews.

1. Read the page token.
2. Read one more than the page holds: then there is a next page.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from reviews_svc.domain.paging import DEFAULT_SIZE, Cursor
from reviews_svc.domain.review import Review
from reviews_svc.store.reviews import Reviews


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Reviews, newest first, and the token of the next page; empty when this is the last."""

    reviews: Sequence[Review]
    next_token: str


@dataclass(frozen=True, kw_only=True)
class ListListingReviews:
    """Show what guests said of a listing. A listing that is not there has no reviews."""

    reviews: Reviews

    async def __call__(self, listing_id: str, size: int, token: str) -> Page:
        """Return a page of `size` reviews, 0 for the usual; raise PageTokenInvalid."""
        size = size or DEFAULT_SIZE
        found = await self.reviews.page(listing_id, Cursor.of(token), size + 1)
        shown = found[:size]
        more = len(found) > size
        return Page(reviews=shown, next_token=Cursor.after(shown[-1]).token if more else "")
