"""The nights of listings, as the indexer heard them."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from mesh.data import sql
from mesh.data.postgres import Record, Transaction
from mesh.ids import shard_of
from search_svc.domain.calendar import Calendar

_Q: Final = sql.load(Path(__file__).with_suffix(".sql"))


async def some(transaction: Transaction, listing_ids: Iterable[str]) -> dict[str, Calendar]:
    """Return the calendars of these listings, as far as anything was heard of them."""
    rows = await transaction.fetch(_Q.some, list(listing_ids))
    return {row["listing_id"]: _calendar(row) for row in rows}


async def put(transaction: Transaction, calendars: Mapping[str, Calendar]) -> None:
    """Write calendars; one that is not newer than what is there changes nothing."""
    rows = [
        (
            listing_id,
            shard_of(listing_id),
            calendar.version,
            calendar.first_day,
            calendar.taken_bytes(),
            list(calendar.prices),
            list(calendar.prices.values()),
        )
        for listing_id, calendar in calendars.items()
    ]
    await transaction.executemany(_Q.put, rows)


async def of_partitions(
    transaction: Transaction, partitions: Sequence[int]
) -> AsyncIterator[tuple[str, Calendar]]:
    """Yield every calendar of these partitions."""
    async for row in transaction.stream(_Q.of_partitions, list(partitions)):
        yield row["listing_id"], _calendar(row)


def _calendar(row: Record) -> Calendar:
    return Calendar(
        version=row["version"],
        first_day=row["first_day"],
        taken=int.from_bytes(row["taken"], "little"),
        prices=dict(zip(row["price_days"], row["prices_minor"], strict=True)),
    )
