"""Search as it runs: an indexer, two shards and a coordinator, over the real parts."""

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx
import pytest
from staymesh.search.v1 import search_pb2 as pb
from staymesh.search.v1.search_pb2_grpc import AvailabilityShardServiceStub, SearchServiceStub

from mesh.bus import Producer, ensure_topics
from mesh.data.migrate import migrate
from mesh.data.postgres import Shards
from mesh.rpc.client import connect
from mesh.testing import Keyring
from search_svc.app import MIGRATIONS, postgres
from search_svc.domain import index
from stack.databases import EXTENSIONS
from tests.integration.search_svc.events import Village, a_place, day
from tests.integration.search_svc.roles import Gate, Role

SHARDS = 2
BATCH = 7
"""Small, so that every walk crosses batches."""


@pytest.fixture(scope="session")
def search_database(postgres_url: str) -> Iterator[str]:
    """A migrated database of this folder's own."""
    name = f"search_tests_{uuid.uuid4().hex}"
    url = urlunsplit(urlsplit(postgres_url)._replace(path=f"/{name}"))

    async def run(statement: str) -> None:
        connection = await asyncpg.connect(postgres_url)
        await connection.execute(statement)
        await connection.close()

    async def prepare() -> None:
        connection = await asyncpg.connect(url)
        for extension in EXTENSIONS:
            await connection.execute(f"CREATE EXTENSION {extension} SCHEMA public")
        await connection.close()
        await migrate(postgres(url, "search-tests"), MIGRATIONS)

    asyncio.run(run(f"CREATE DATABASE {name}"))
    asyncio.run(prepare())
    yield url
    asyncio.run(run(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
async def shards(search_database: str) -> AsyncIterator[Shards]:
    async with await Shards.open(postgres(search_database, "search-tests")) as opened:
        yield opened


@pytest.fixture(scope="session")
def topics(kafka_bootstrap: str) -> str:
    """The bootstrap address of a Kafka that has our topics. Others publish to them too."""
    asyncio.run(ensure_topics(kafka_bootstrap))
    return kafka_bootstrap


@pytest.fixture(scope="session")
def alias(elasticsearch_url: str) -> Iterator[str]:
    """The alias of an index of this folder's own; removed at the end."""
    name = f"test-{uuid.uuid4().hex}"
    yield name
    httpx.delete(f"{elasticsearch_url}/{name}-v{index.VERSION}")


@dataclass(frozen=True, kw_only=True)
class Search:
    """Everything of search, running."""

    indexer: Role
    shards: list[Role]
    coordinator: Role
    elasticsearch: Gate
    valkey: Gate
    keys: Keyring


@pytest.fixture(scope="session")
def gates(valkey_url: str, elasticsearch_url: str) -> Iterator[dict[str, Gate]]:
    """Ways to Valkey and Elasticsearch that a test can shut."""
    with ExitStack() as stack:
        urls = {"valkey": valkey_url, "elasticsearch": elasticsearch_url}
        yield {
            name: stack.enter_context(Gate(urlsplit(url).netloc.rpartition("@")[2]))
            for name, url in urls.items()
        }


@pytest.fixture(scope="session")
def stores(
    search_database: str, topics: str, gates: dict[str, Gate], valkey_url: str, alias: str
) -> dict[str, str]:
    """What tells a role where its stores are."""
    return {
        "STAYMESH_DATABASE_URL": search_database,
        "STAYMESH_KAFKA_URL": topics,
        "STAYMESH_REDIS_URL": _through(valkey_url, gates["valkey"]),
        "STAYMESH_ELASTICSEARCH_URL": f"http://127.0.0.1:{gates['elasticsearch'].port}",
        "STAYMESH_INDEX_ALIAS": alias,
    }


@pytest.fixture(scope="session")
def search(
    stores: dict[str, str], gates: dict[str, Gate], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Search]:
    """Start the roles once; a test that kills one starts it again."""
    folder, keys = tmp_path_factory.mktemp("search"), Keyring()
    with ExitStack() as stack:
        env = {
            **keys.write(folder, "search"),
            **stores,
            "STAYMESH_INDEX_REFRESH_SECONDS": "1",
            "STAYMESH_CANDIDATE_BATCH": str(BATCH),
            "STAYMESH_LAME_DUCK_SECONDS": "0",
        }

        def role(name: str, *arguments: str, **own: str) -> Role:
            return Role(name, list(arguments), env | own, folder / f"{name}.log")

        indexer = role("indexer", "indexer")
        held = [
            role(f"shard-{i}", "shard", "--index", str(i), "--of", str(SHARDS))
            for i in range(SHARDS)
        ]
        addresses = ",".join(shard.address for shard in held)
        coordinator = role("coordinator", STAYMESH_PEER_SHARDS=addresses)
        roles = [indexer, *held, coordinator]
        for one in roles:
            stack.callback(one.stop)
            one.start(wait=False)
        for one in roles:
            one.wait_until_healthy()
        yield Search(
            indexer=indexer,
            shards=held,
            coordinator=coordinator,
            elasticsearch=gates["elasticsearch"],
            valkey=gates["valkey"],
            keys=keys,
        )


def _through(url: str, gate: Gate) -> str:
    parts = urlsplit(url)
    login, at, _ = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{login}{at}127.0.0.1:{gate.port}"))


@pytest.fixture
async def village(topics: str) -> AsyncIterator[Village]:
    """A place of the test's own."""
    chance = random.Random()
    async with Producer(topics) as producer:
        yield Village(producer=producer, chance=chance, point=a_place(chance))


@dataclass(frozen=True, kw_only=True)
class Guest:
    """Somebody who searches around the village."""

    stub: Any
    village: Village

    async def page(self, **asked: Any) -> pb.SearchListingsResponse:
        """Return one page."""
        point = self.village.point
        request = pb.SearchListingsRequest(lat=point.lat, lng=point.lng, radius_km=20, **asked)
        answer: pb.SearchListingsResponse = await self.stub.SearchListings(request)
        return answer

    async def walk(self, **asked: Any) -> list[pb.SearchListingsResponse]:
        """Return every page, to the end."""
        pages = [await self.page(**asked)]
        while pages[-1].next_page_token:
            pages.append(await self.page(page_token=pages[-1].next_page_token, **asked))
        return pages

    async def found(self, **asked: Any) -> list[str]:
        """Return the ids on every page."""
        return [r.listing_id for page in await self.walk(**asked) for r in page.results]


def stay(first: int, nights: int) -> dict[str, str]:
    """Return the dates of a stay that begins in `first` days."""
    return {"check_in": day(first).isoformat(), "check_out": day(first + nights).isoformat()}


@pytest.fixture
async def guest(search: Search, village: Village) -> AsyncIterator[Guest]:
    async with connect("search", [search.coordinator.address], None) as channel:
        yield Guest(stub=SearchServiceStub(channel), village=village)


@pytest.fixture
async def shard_stubs(search: Search) -> AsyncIterator[list[Any]]:
    """The shards themselves, asked as the search service."""
    identity = search.keys.identity("search")
    async with (
        connect("shard-0", [search.shards[0].address], identity) as one,
        connect("shard-1", [search.shards[1].address], identity) as other,
    ):
        yield [AvailabilityShardServiceStub(one), AvailabilityShardServiceStub(other)]


async def eventually(look: Callable[[], Awaitable[Any]], *, within_seconds: float = 20.0) -> Any:
    """Return the first answer of `look` that is true; fail when there is none in time."""
    loop = asyncio.get_running_loop()
    end = loop.time() + within_seconds
    while not (answer := await look()):
        assert loop.time() < end, f"not within {within_seconds} s"
        await asyncio.sleep(0.02)
    return answer
