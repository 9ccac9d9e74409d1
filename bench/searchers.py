"""The two sides of a search, each a process of its own, and each run is one round.

`python -m bench.searchers query URL ROUND EACH` asks Elasticsearch what search_svc would ask it:
the bodies are made by its own code. The answer is read, not parsed.
`python -m bench.searchers fresh ADDRESS ROUND EACH` calls SearchListings with such questions,
which nobody has asked before: no candidates are in the cache.
`python -m bench.searchers again ADDRESS ROUND EACH` asks a few questions over and over; their
candidates are in the cache.
"""

import json
import random
import sys
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final

import aiohttp
import grpc
import uvloop
from staymesh.search.v1 import search_pb2 as pb
from staymesh.search.v1 import search_pb2_grpc as rpc

from bench.rounds import closed_loop, report
from bench.timings import Timings
from mesh.clock import SystemClock
from search_svc import convert
from search_svc.config import SearchSettings
from search_svc.domain import index
from stack.world.cities import CITIES

CLIENTS: Final = 8
KNOWN_QUESTIONS: Final = 16
"""Few: a batch that is not full stays in the cache for half a minute only."""
_RADIUS_KM: Final = 15.0
_WANTED: Final = ("wifi", "kitchen", "washer", "heating")


def questions(round_number: int, count: int) -> list[pb.SearchListingsRequest]:
    """Return searches around points in the cities of the world, each somewhere else."""
    rng = random.Random(f"search:{round_number}")
    today = SystemClock().now().date()
    return [_question(rng, today) for _ in range(count)]


def _question(rng: random.Random, today: date) -> pb.SearchListingsRequest:
    city = rng.choices(CITIES, [city.share for city in CITIES])[0]
    start = today + timedelta(days=rng.randrange(7, 300))
    question = pb.SearchListingsRequest(
        lat=city.lat + rng.uniform(-0.03, 0.03),
        lng=city.lng + rng.uniform(-0.03, 0.03),
        radius_km=_RADIUS_KM,
        check_in=start.isoformat(),
        check_out=(start + timedelta(days=rng.randint(2, 6))).isoformat(),
        guests=rng.randint(1, 4),
    )
    if rng.random() < 0.5:
        question.amenities.append(rng.choice(_WANTED))
    return question


def body(question: pb.SearchListingsRequest) -> dict[str, Any]:
    """Return the first query that search_svc sends to Elasticsearch for a question."""
    asked = convert.request(question)
    place = asked.point()
    assert place is not None
    size = SearchSettings.model_fields["candidate_batch"].default
    return {**index.query(asked.criteria(place), None, size), "timeout": "2000ms"}


async def query(url: str, round_number: int, each: int) -> Timings:
    """Ask Elasticsearch alone."""
    bodies = [json.dumps(body(one)) for one in questions(round_number, CLIENTS * each)]
    address, headers = f"{url}/{index.ALIAS}/_search", {"content-type": "application/json"}
    async with aiohttp.ClientSession(headers=headers) as session:

        async def call(wanted: str) -> None:
            async with session.post(address, data=wanted) as answer:
                answer.raise_for_status()
                await answer.read()

        return await closed_loop(_dealt(bodies), call)


async def search(address: str, wanted: list[pb.SearchListingsRequest], *, warm: bool) -> Timings:
    """Ask the search service; warm asks everything once before the clock starts."""
    async with grpc.aio.insecure_channel(address) as channel:
        stub = rpc.SearchServiceStub(channel)
        degraded: list[bool] = []

        async def call(question: pb.SearchListingsRequest) -> None:
            answer = await stub.SearchListings(question, timeout=3)
            degraded.append(answer.degraded)

        await channel.channel_ready()
        if warm:
            await closed_loop(_dealt(wanted[:KNOWN_QUESTIONS]), call)
        degraded.clear()
        return replace(await closed_loop(_dealt(wanted), call), partial=sum(degraded))


def _dealt(work: list[Any]) -> list[list[Any]]:
    return [work[client::CLIENTS] for client in range(CLIENTS)]


def main() -> None:
    """Run one round."""
    kind, place, round_number, each = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    if kind == "query":
        timings = uvloop.run(query(place, round_number, each))
    elif kind == "fresh":
        wanted = questions(round_number, CLIENTS * each)
        timings = uvloop.run(search(place, wanted, warm=False))
    else:
        known = questions(0, KNOWN_QUESTIONS)
        wanted = [known[number % KNOWN_QUESTIONS] for number in range(CLIENTS * each)]
        timings = uvloop.run(search(place, wanted, warm=True))
    report(timings)


if __name__ == "__main__":
    main()
