"""Quotes, in the shard of their listing."""

from datetime import datetime
from pathlib import Path
from typing import Final

from booking_svc.domain.price import Quote
from booking_svc.domain.stay import Stay
from booking_svc.store.prices import json_of, price_of
from mesh.data.postgres import Shards
from mesh.data.sql import load

_q: Final = load(Path(__file__).with_name("quotes.sql"))


class Quotes:
    """The quotes of all shards; a quote's id has its listing's bucket."""

    def __init__(self, shards: Shards) -> None:
        self._shards = shards

    async def insert(self, quote: Quote) -> None:
        """Keep a quote."""
        stay = quote.stay
        await self._shards.write(
            self._shards.of(quote.quote_id),
            _q.insert_quote,
            quote.quote_id,
            quote.listing_id,
            stay.check_in,
            stay.check_out,
            stay.guests,
            json_of(quote.price),
            quote.expires_at,
        )

    async def get(self, quote_id: str) -> Quote | None:
        """Return a quote, also one that has expired; None for one that is forgotten."""
        row = await self._shards.fetchrow(self._shards.of(quote_id), _q.get_quote, quote_id)
        if row is None:
            return None
        return Quote(
            quote_id=row["quote_id"],
            listing_id=row["listing_id"],
            stay=Stay(check_in=row["check_in"], check_out=row["check_out"], guests=row["guests"]),
            price=price_of(row["price"]),
            expires_at=row["expires_at"],
        )

    async def purge(self, before: datetime) -> None:
        """Forget quotes that expired before an instant."""
        for shard in self._shards.numbers:
            await self._shards.write(shard, _q.purge_quotes, before, idempotent=True)
