"""Candidates: listings that fit the filters, best first, in batches that can be cached."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from search_svc.domain.listing import Card, Position, PropertyType
from search_svc.domain.place import Point


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Consecutive candidates. `last`: there are no more after it."""

    cards: tuple[Card, ...]
    last: bool

    def after(self, seen: Position | None) -> Iterator[Card]:
        """Yield the candidates that come after `seen`."""
        for card in self.cards:
            if seen is None or seen.before(card.position):
                yield card

    @property
    def end(self) -> Position | None:
        """Return where the next batch goes on; None when this one is empty."""
        return self.cards[-1].position if self.cards else None


def card_of(row: Mapping[str, Any]) -> Card:
    """Return the card in a row of plain values; raise KeyError, ValueError or TypeError."""
    return Card(
        listing_id=row["listing_id"],
        rank=row["rank"],
        title=row["title"],
        city=row["city"],
        country_code=row["country_code"],
        property_type=PropertyType(row["property_type"]),
        point=Point(row["lat"], row["lng"]),
        max_guests=row["max_guests"],
        bedrooms=row["bedrooms"],
        beds=row["beds"],
        bathrooms=row["bathrooms"],
        instant_book=row["instant_book"],
        superhost=row["superhost"],
        rating=row["rating"],
        review_count=row["review_count"],
        currency=row["currency"],
        base_price_minor=row["base_price_minor"],
    )


FIELDS: tuple[str, ...] = (
    *("listing_id", "rank", "title", "city", "country_code", "property_type", "lat", "lng"),
    *("max_guests", "bedrooms", "beds", "bathrooms", "instant_book", "superhost", "rating"),
    *("review_count", "currency", "base_price_minor"),
)
"""The plain values of a card, in the order that they are packed in."""


def pack(batch: Batch) -> bytes:
    """Return a batch as bytes, for the cache."""
    rows = [
        [*_own(card, FIELDS[:6]), card.point.lat, card.point.lng, *_own(card, FIELDS[8:])]
        for card in batch.cards
    ]
    return json.dumps([batch.last, rows], separators=(",", ":"), ensure_ascii=False).encode()


def unpack(packed: bytes) -> Batch:
    """Return the batch that `pack` packed; raise ValueError for anything else."""
    try:
        last, rows = json.loads(packed)
        cards = tuple(card_of(dict(zip(FIELDS, row, strict=True))) for row in rows)
    except (KeyError, TypeError) as error:
        raise ValueError("not a packed batch") from error
    return Batch(cards=cards, last=bool(last))


def _own(card: Card, fields: tuple[str, ...]) -> list[Any]:
    return [getattr(card, field) for field in fields]
