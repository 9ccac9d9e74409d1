"""Migrations: every shard the same, and nothing done twice."""

import asyncio
from pathlib import Path
from typing import TypeAlias

import asyncpg
import pytest

from mesh.data.migrate import MigrationFailed, migrate
from mesh.data.postgres import PostgresSettings
from tests.integration.mesh_data.conftest import MIGRATIONS

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


@pytest.fixture
async def empty(admin: Connection) -> None:
    for n in range(16):
        await admin.execute(f"DROP SCHEMA IF EXISTS shard_{n:02d} CASCADE")


@pytest.mark.usefixtures("empty")
async def test_every_schema_gets_the_mesh_tables_and_the_services_own(
    settings: PostgresSettings, admin: Connection
) -> None:
    assert await migrate(settings, MIGRATIONS) == 16
    tables = await admin.fetch(
        "SELECT table_name, count(*) AS n FROM information_schema.tables "
        "WHERE table_schema LIKE 'shard\\___' GROUP BY table_name"
    )
    assert {row["table_name"]: row["n"] for row in tables} == dict.fromkeys(
        ("idempotency", "outbox", "inbox", "counters", "schema_migrations"), 16
    )


async def test_a_second_run_changes_nothing(settings: PostgresSettings) -> None:
    await migrate(settings, MIGRATIONS)
    assert await migrate(settings, MIGRATIONS) == 0


@pytest.mark.usefixtures("empty")
async def test_two_processes_may_migrate_at_once(settings: PostgresSettings) -> None:
    changed = await asyncio.gather(migrate(settings, MIGRATIONS), migrate(settings, MIGRATIONS))
    assert sorted(changed) == [0, 16]


async def test_a_broken_file_fails_with_the_words_of_the_database(
    settings: PostgresSettings, tmp_path: Path
) -> None:
    (tmp_path / "20261125000001_expand_typo.sql").write_text(
        "-- migrate:up\nCREATE TABEL x ();\n-- migrate:down\n"
    )
    with pytest.raises(MigrationFailed, match="syntax error"):
        await migrate(settings, tmp_path)
