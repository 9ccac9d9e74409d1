"""A page of results, filled candidate by candidate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from search_svc.domain.candidates import Batch
from search_svc.domain.cursor import Cursor
from search_svc.domain.listing import Card
from search_svc.domain.place import Place, distance_km
from search_svc.domain.search import PriceBounds
from search_svc.domain.stay import Stay, StayPrice


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A listing that was found. Amounts are in minor units of `currency`.

    `night_minor` is the mean price of a night of the stay, or the base price without dates, when
    there is no total either.
    """

    card: Card
    distance_km: float
    currency: str
    night_minor: int
    total_minor: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a guest gets. `missing` names what was down; the token is empty at the end."""

    place: Place
    results: tuple[Result, ...]
    next_token: str
    missing: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Filling:
    """A page being filled. `cursor` is behind the last candidate looked at; None: that was all."""

    place: Place
    stay: Stay | None
    prices: PriceBounds
    size: int
    cursor: Cursor | None
    results: list[Result] = field(default_factory=list)

    @property
    def full(self) -> bool:
        """Return whether no more results fit on the page."""
        return len(self.results) >= self.size

    def unseen(self, batch: Batch) -> list[Card]:
        """Return the candidates of the cursor's batch that were not looked at yet."""
        return [] if self.cursor is None else list(batch.after(self.cursor.seen))

    def take(self, cards: Sequence[Card], found: Mapping[str, StayPrice]) -> None:
        """Look at the next candidates until the page is full, and move the cursor behind them.

        `found` has the price of those that are free; without dates it is not looked at.
        """
        assert self.cursor is not None
        seen = self.cursor.seen
        for card in cards:
            if self.full:
                break
            seen = card.position
            result = self._result(card, found)
            if result is not None:
                self.results.append(result)
        self.cursor = Cursor(batch_after=self.cursor.batch_after, seen=seen)

    def leave(self, batch: Batch) -> None:
        """Go on to the next batch, if all of this one was looked at; there may be none."""
        if not self.unseen(batch):
            self.cursor = None if batch.last else Cursor(batch_after=batch.end, seen=batch.end)

    def _result(self, card: Card, found: Mapping[str, StayPrice]) -> Result | None:
        currency, night, total = card.currency, card.base_price_minor, None
        if self.stay is not None:
            price = found.get(card.listing_id)
            if price is None:
                return None
            currency, total = price.currency, price.total_minor
            night = price.mean_night_minor(self.stay.nights)
        if not self.prices.admit(night if total is None else total, currency):
            return None
        return Result(
            card=card,
            distance_km=round(distance_km(self.place.point, card.point), 2),
            currency=currency,
            night_minor=night,
            total_minor=total,
        )
