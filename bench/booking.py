"""A booking: the store's call against pgbench on the same SQL function, and the whole flow beside.

The holds are measured with PostgreSQL alone running, so that no relay or sweeper works on what they
leave; then the rest of a booking's stack is started on the same data for the whole flow. On a
machine with few cores PostgreSQL, the client and (for the flow) the service share them.
"""

import asyncio
import tempfile
from pathlib import Path
from typing import Final

import asyncpg

from bench import pgbench, stays
from bench.rounds import run_round
from bench.stacks import running_stack, url
from bench.stays import CLIENTS
from bench.table import Row
from bench.timings import Timings, middle
from mesh.data.postgres import PostgresSettings, Shards
from mesh.data.sql import schema_of
from mesh.ids import SHARDS
from stack.config import LOOPBACK

ROUNDS: Final = 3
LISTINGS: Final = 800
DATABASE: Final = "database-booking"
GOAL: Final = 0.75
_MOST_FLOWS: Final = 2000
"""The nights that may be booked of so many listings are not endless."""


def rows(requests: int, port_base: int | None = None) -> list[Row]:
    """Measure both ways to hold in turn, and again, then the whole flow; return the ratios."""
    holds = max(1, requests // 4 // CLIENTS)
    flows = max(1, min(requests // 20, _MOST_FLOWS) // CLIENTS)
    with tempfile.TemporaryDirectory(prefix="staymesh-bench-") as folder:
        home = Path(folder)
        home.chmod(0o711)
        with running_stack(home, only=("migrate-booking",), port_base=port_base) as settings:
            ceiling, ours = _holds(url(settings, DATABASE), holds, home)
            asyncio.run(_forget_events(url(settings, DATABASE)))
        with running_stack(home, only=("booking", "payments"), port_base=port_base) as settings:
            address = f"{LOOPBACK}:{settings.ports.service('booking')}"
            database = url(settings, DATABASE)
            whole = run_round(
                "bench.holders", "flow", database, LISTINGS, flows, address, settings.keys
            )
    ratio = ours.per_second / ceiling.per_second
    return [
        Row(
            what="a stay held by the store's call against pgbench, the same function",
            ours=str(ours),
            ceiling=str(ceiling),
            ratio=ratio,
            goal=f"{GOAL} or more",
            holds=ratio >= GOAL,
        ),
        Row(
            what="a stay booked whole (gRPC, key, fence, payment) beside the store's call",
            ours=str(whole),
            ceiling=str(ours),
            ratio=whole.per_second / ours.per_second,
            goal="",
            holds=None,
        ),
    ]


def _holds(database: str, each: int, scratch: Path) -> tuple[Timings, Timings]:
    """Return what pgbench and the store reach, taking turns."""
    asyncio.run(_load(database))
    theirs, ours = [], []
    for number in range(ROUNDS):
        asyncio.run(_prepare(database, 2 * number, each))
        before = asyncio.run(_held(database))
        theirs.append(pgbench.run(database, each, scratch))
        between = asyncio.run(_held(database))
        ours.append(run_round("bench.holders", "store", database, LISTINGS, 2 * number + 1, each))
        after = asyncio.run(_held(database))
        if not between - before == after - between == each * CLIENTS:
            raise RuntimeError(f"held {between - before} and {after - between} stays, not {each}")
    return middle(theirs), middle(ours)


async def _load(database: str) -> None:
    async with await Shards.open(PostgresSettings(url=database)) as shards:
        await stays.load(shards, LISTINGS)
    connection = await asyncpg.connect(database)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


async def _prepare(database: str, round_number: int, each: int) -> None:
    async with await Shards.open(PostgresSettings(url=database)) as shards:
        plan = await stays.plan(shards, LISTINGS, round_number=round_number, each=each)
    await pgbench.prepare(database, plan)


async def _held(database: str) -> int:
    """Count the bookings, so that a side that held less than it says is found out."""
    tables = " UNION ALL ".join(
        f"SELECT count(*) AS n FROM {schema_of(shard)}.bookings" for shard in range(SHARDS)
    )
    connection = await asyncpg.connect(database)
    try:
        counted: int = await connection.fetchval(f"SELECT sum(n)::bigint FROM ({tables}) AS t")
        return counted
    finally:
        await connection.close()


async def _forget_events(database: str) -> None:
    """Empty the outbox: publishing it would be at the cost of what is measured next."""
    connection = await asyncpg.connect(database)
    for shard in range(SHARDS):
        await connection.execute(f"TRUNCATE {schema_of(shard)}.outbox")
    await connection.close()
