"""Candidates: listings that fit the filters, best first, in batches that can be cached."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from search_svc.domain.listing import Card, Position


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
    """Return the card in a row of plain values; raise KeyError when one is missing."""
    return Card(*[row[field] for field in Card._fields])


def pack(batch: Batch) -> bytes:
    """Return a batch as bytes, for the cache."""
    return json.dumps([batch.last, batch.cards], separators=(",", ":"), ensure_ascii=False).encode()


def unpack(packed: bytes) -> Batch:
    """Return the batch that `pack` packed; raise ValueError for anything else."""
    try:
        last, rows = json.loads(packed)
        return Batch(cards=tuple(map(Card._make, rows)), last=bool(last))
    except TypeError as error:
        raise ValueError("not a packed batch") from error
