"""A migrated database of this folder's own, and shards over it."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from mesh.data.migrate import migrate
from mesh.data.postgres import PostgresSettings, Shards
from mesh.data.sql import schema_of

MIGRATIONS = Path(__file__).parent / "migrations"


@pytest.fixture
def database_url() -> str:
    return os.environ["STAYMESH_TEST_DATABASE_URL"]


@pytest.fixture
async def settings(database_url: str) -> PostgresSettings:
    return PostgresSettings(url=database_url, application_name="mesh_data_tests")


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
