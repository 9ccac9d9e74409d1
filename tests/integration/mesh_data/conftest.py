"""A migrated database of this folder's own, shards over it, and what the bus tests share."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from mesh.bus import Producer, Topic, ensure_topics
from mesh.data.migrate import migrate
from mesh.data.postgres import PostgresSettings, Shards
from mesh.data.redis import Redis
from mesh.data.sql import schema_of
from mesh.ids import new_id

MIGRATIONS = Path(__file__).parent / "migrations"
NAME = "mesh_data_tests"


@pytest.fixture(scope="session")
def database_url(postgres_url: str) -> str:
    """One database for all of this folder: it is emptied, not made anew, for each test."""

    async def make() -> None:
        connection = await asyncpg.connect(postgres_url)
        await connection.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
        await connection.execute(f"CREATE DATABASE {NAME}")
        await connection.close()

    asyncio.run(make())
    return urlunsplit(urlsplit(postgres_url)._replace(path=f"/{NAME}"))


@pytest.fixture
async def settings(database_url: str) -> PostgresSettings:
    return PostgresSettings(url=database_url, application_name=NAME)


@pytest.fixture
async def admin(database_url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection beside the pools, to look at them and to disturb them."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def shards(
    settings: PostgresSettings, admin: "asyncpg.Connection[asyncpg.Record]"
) -> AsyncIterator[Shards]:
    """Shards whose tables are empty."""
    await migrate(settings, MIGRATIONS)
    tables = ("counters", "idempotency", "outbox", "inbox")
    names = [f"{schema_of(n)}.{table}" for n in range(settings.shards) for table in tables]
    await admin.execute(f"TRUNCATE {', '.join(names)}")
    async with await Shards.open(settings) as opened:
        yield opened


@pytest.fixture
async def topic(kafka_bootstrap: str) -> str:
    """A topic of the test's own, with as many partitions as ours have."""
    name = new_id("top", now_ms=0)
    await ensure_topics(kafka_bootstrap, [Topic(name)])
    return name


@pytest.fixture
async def producer(kafka_bootstrap: str) -> AsyncIterator[Producer]:
    async with Producer(kafka_bootstrap) as opened:
        yield opened


@pytest.fixture
async def redis(valkey_url: str) -> AsyncIterator[Redis]:
    client = Redis.open(valkey_url)
    yield client
    await client.aclose()


@pytest.fixture
async def no_redis() -> AsyncIterator[Redis]:
    """A Redis that is down."""
    client = Redis.open("redis://127.0.0.1:1")
    yield client
    await client.aclose()
