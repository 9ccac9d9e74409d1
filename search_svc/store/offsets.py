"""How far the indexer has heard, by partition of the bus."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from mesh.data import sql
from mesh.data.postgres import Transaction

_Q: Final = sql.load(Path(__file__).with_suffix(".sql"))

Offsets = Mapping[tuple[str, int], int]
"""The next offset to be heard, by topic and partition; nothing for one never heard of."""


async def of_topics(transaction: Transaction, topics: Sequence[str]) -> dict[tuple[str, int], int]:
    """Return where to go on in these topics."""
    rows = await transaction.fetch(_Q.all_of, list(topics))
    return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}


async def put(transaction: Transaction, offsets: Offsets) -> None:
    """Note where to go on."""
    topics, partitions = zip(*offsets, strict=True)
    await transaction.execute(_Q.put, topics, partitions, list(offsets.values()))


async def forget(transaction: Transaction) -> None:
    """Begin anew in every topic."""
    await transaction.execute(_Q.forget)
