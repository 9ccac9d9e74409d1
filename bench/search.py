"""A search over gRPC against its Elasticsearch query alone, with candidates cached and not.

The whole stack runs, with a demo world in it. Each round asks Elasticsearch a set of questions,
then the search service others like them, which nobody has asked before, then a few known ones.
"""

import asyncio
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import aiohttp
from staymesh.search.v1 import search_pb2 as pb
from staymesh.search.v1 import search_pb2_grpc as rpc

from bench.rounds import run_round
from bench.searchers import CLIENTS
from bench.stacks import running_stack, url
from bench.table import Row
from bench.timings import Timings, middle
from mesh.clock import SystemClock
from mesh.rpc.client import connect
from mesh.rpc.identity import ServiceIdentity
from mesh.rpc.keys import read_private_key
from search_svc.domain import index
from stack.config import LOOPBACK, SEARCH_SHARDS, Settings
from stack.connection import IDENTITY
from stack.keys import Keys
from stack.world import World
from stack.world.load import DEFAULT_SEED, load_world

ROUNDS: Final = 3
LISTINGS: Final = 2000
SIDES: Final = ("query", "fresh", "again")
_INDEXED_SECONDS: Final = 180.0


def rows(requests: int, listings: int = LISTINGS, port_base: int | None = None) -> list[Row]:
    """Measure the query and both kinds of search in turn, and again; return the ratios."""
    each = max(1, requests // 10 // CLIENTS)
    with tempfile.TemporaryDirectory(prefix="staymesh-bench-") as folder:
        home = Path(folder)
        home.chmod(0o711)
        with running_stack(home, port_base=port_base) as settings:
            asyncio.run(_fill(settings, listings))
            elastic = url(settings, "elasticsearch")
            address = f"{LOOPBACK}:{settings.ports.service('search')}"
            places = {"query": elastic, "fresh": address, "again": address}
            for side in SIDES:
                _round(side, places[side], 0, max(1, each // 5))  # all is warm and compiled then
            seen = [
                {side: _round(side, places[side], number, each) for side in SIDES}
                for number in range(1, ROUNDS + 1)
            ]
    query, fresh, again = (middle(one[side] for one in seen) for side in SIDES)
    return [
        Row(
            what=f"a search never asked before{_partial(fresh)} against its query alone",
            ours=str(fresh),
            ceiling=str(query),
            ratio=fresh.per_second / query.per_second,
            goal="",
            holds=None,
        ),
        Row(
            what=f"a search whose candidates are cached{_partial(again)} against its query alone",
            ours=str(again),
            ceiling=str(query),
            ratio=again.per_second / query.per_second,
            goal="",
            holds=None,
        ),
    ]


def _partial(seen: Timings) -> str:
    return f" ({seen.partial} answered without Elasticsearch)" if seen.partial else ""


def _round(side: str, place: str, number: int, each: int) -> Timings:
    # Other questions than the query's: nobody has asked these, nor warmed anything for them.
    chosen = 2 * number + (side == "fresh")
    return run_round("bench.searchers", side, place, chosen, each)


async def _fill(settings: Settings, listings: int) -> None:
    """Load a demo world and wait until it can be found."""
    world = World(seed=DEFAULT_SEED, listings=listings, today=SystemClock().now().date())
    await load_world(settings, world, lambda _: None)
    end = time.monotonic() + _INDEXED_SECONDS
    while await _indexed(url(settings, "elasticsearch")) < listings or await _behind(
        settings, listings
    ):
        if time.monotonic() > end:
            raise RuntimeError(f"{listings} listings were not indexed in {_INDEXED_SECONDS:.0f} s")
        await asyncio.sleep(0.5)


async def _indexed(elastic: str) -> int:
    """Count the documents that a search finds."""
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{elastic}/{index.ALIAS}/_refresh"):
            pass
        async with session.get(f"{elastic}/{index.ALIAS}/_count") as answer:
            count: int = (await answer.json()).get("count", 0)
            return count


async def _behind(settings: Settings, listings: int) -> bool:
    """Tell whether the shards lack listings or have yet to hear something."""
    key = read_private_key(Keys(folder=settings.keys).service_key(IDENTITY))
    identity = ServiceIdentity(IDENTITY, key)
    held = lag = 0
    async with AsyncExitStack() as opened:
        for number in range(SEARCH_SHARDS):
            address = f"{LOOPBACK}:{settings.ports.service(f'shard-{number}')}"
            channel = await opened.enter_async_context(
                connect(f"shard-{number}", [address], identity)
            )
            stub = rpc.AvailabilityShardServiceStub(channel)
            status = await stub.GetShardStatus(pb.GetShardStatusRequest())
            held, lag = held + status.listings, lag + status.lag_records
    return held < listings or lag > 0
