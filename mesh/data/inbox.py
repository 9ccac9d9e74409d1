"""Take each event once: its id is written in the transaction of its effect.

Kafka delivers at least once. `first_time` says whether this delivery is the first to commit; under
SERIALIZABLE a rival delivery is rolled back and, run again, sees the row.
"""

from pathlib import Path
from typing import Final

from mesh.data.postgres import Shards, Transaction
from mesh.data.sql import load

KEPT_SECONDS: Final = 14 * 86_400.0
"""Twice as long as Kafka keeps a record by default: none comes again after that."""
_PURGED_AT_ONCE: Final = 1000
_q: Final = load(Path(__file__).with_name("inbox.sql"))


async def first_time(tx: Transaction, consumer: str, event_id: str) -> bool:
    """Note the event as taken by `consumer`, and tell whether it had not been before."""
    return await tx.fetchrow(_q.add, consumer, event_id) is not None


async def purge(shards: Shards, kept_seconds: float = KEPT_SECONDS) -> int:
    """Forget events taken longer ago, and return how many; for a service's sweep."""
    gone = 0
    for shard in shards.numbers:
        full = True
        while full:
            purged = await shards.write(shard, _q.purge, kept_seconds, _PURGED_AT_ONCE)
            gone += len(purged)
            full = len(purged) == _PURGED_AT_ONCE
    return gone
