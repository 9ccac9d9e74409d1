"""How good a listing is by itself, as one number that results are sorted by.

    rank = 1,000,000 * (0.55 quality + 0.15 proof + 0.12 superhost + 0.08 instant + 0.10 complete)

- quality: the rating shrunk towards 4.5 as if 10 more guests had given that (a Bayesian average:
  one 5.0 does not beat a hundred 4.9s), from 1..5 to 0..1
- proof: reviews, on a log scale up to 200
- superhost, instant: 1 or 0
- complete: the share of what a host can say and did: a title of 10 characters, a description of
  100, bedrooms, beds, bathrooms, five amenities

It is computed once, by the indexer, and stored as an integer with the listing in both stores, so
that both sort alike and a page can go on exactly where the last one ended.
"""

import math
from dataclasses import dataclass
from typing import Final

SCALE: Final = 1_000_000
PRIOR_RATING: Final = 4.5
PRIOR_REVIEWS: Final = 10
FULL_PROOF_REVIEWS: Final = 200
MIN_TITLE: Final = 10
MIN_DESCRIPTION: Final = 100
MIN_AMENITIES: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """What the rank is made of."""

    rating: float
    review_count: int
    superhost: bool
    instant_book: bool
    title_length: int
    description_length: int
    amenity_count: int
    rooms_said: int
    """How many of bedrooms, beds and bathrooms the host has said."""


def rank_of(signals: Signals) -> int:
    """Return the rank, from 0 to 1,000,000; the higher, the earlier."""
    score = (
        0.55 * _quality(signals.rating, signals.review_count)
        + 0.15 * _proof(signals.review_count)
        + 0.12 * signals.superhost
        + 0.08 * signals.instant_book
        + 0.10 * _completeness(signals)
    )
    return round(SCALE * score)


def _quality(rating: float, reviews: int) -> float:
    total = rating * reviews + PRIOR_RATING * PRIOR_REVIEWS
    shrunk = total / (reviews + PRIOR_REVIEWS)
    return min(1.0, max(0.0, (shrunk - 1) / 4))


def _proof(reviews: int) -> float:
    return min(1.0, math.log1p(reviews) / math.log1p(FULL_PROOF_REVIEWS))


def _completeness(signals: Signals) -> float:
    said = (
        (signals.title_length >= MIN_TITLE)
        + (signals.description_length >= MIN_DESCRIPTION)
        + (signals.amenity_count >= MIN_AMENITIES)
        + signals.rooms_said
    )
    return said / 6
