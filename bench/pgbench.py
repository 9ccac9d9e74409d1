"""The ceiling of a booking: pgbench, which is C, calling the same SQL function.

It gets the very arguments that the store sends: they are recorded from the store's own code. Both
sides then hold equally many stays of equally drawn lengths, in the same 16 schemas, at
SERIALIZABLE, as the same user, over the same protocol (prepared statements over loopback), with
the events, on 16 connections.

What differs: pgbench cannot read such arguments from a file, so they lie in a table, and each call
looks its own up by primary key, where the store sends them. The json is text there too, so
PostgreSQL parses it in both cases.
"""

import os
import re
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import unquote, urlsplit

import asyncpg

from bench.stays import CLIENTS, Hold
from bench.timings import Timings
from booking_svc.store.bookings import Bookings
from mesh.data.pools import set_codecs
from mesh.data.postgres import Shards
from mesh.data.sql import Query, schema_of
from mesh.ids import SHARDS
from stack.parts.postgres import binaries

_THREADS: Final = 2
_TABLE: Final = """
CREATE SCHEMA IF NOT EXISTS bench;
DROP TABLE IF EXISTS bench.holds;
CREATE UNLOGGED TABLE bench.holds (
    n integer PRIMARY KEY, booking json, version bigint, token bigint,
    topics text[], keys text[], kinds text[], payloads bytea[], headers json
) WITH (toast_tuple_target = 8160, autovacuum_enabled = off);
"""
_CALL: Final = """\
SELECT {schema}.hold_stay(h.booking::jsonb, h.version, h.token,
    h.topics, h.keys, h.kinds, h.payloads, h.headers::jsonb)
FROM bench.holds AS h WHERE h.n = :n;
"""


class _Recorder:
    """In the place of `Shards`: keeps what the store would have sent."""

    def __init__(self) -> None:
        self.rows: list[tuple[Any, ...]] = []

    def of(self, some_id: str) -> int:
        """Return any shard: the plan knows them."""
        assert some_id
        return 0

    async def write(
        self, _shard: int, _query: Query, *args: Any, idempotent: bool = False
    ) -> list[dict[str, str]]:
        """Keep the arguments."""
        assert idempotent
        self.rows.append(args)
        return [{"outcome": "held"}]


async def prepare(url: str, plan: Sequence[Sequence[Hold]]) -> None:
    """Put the arguments of a round where pgbench finds them: client by client, call by call."""
    recorder = _Recorder()
    store = Bookings(cast("Shards", recorder))
    for hold in (hold for client in plan for hold in client):
        await store.hold(
            hold.booking,
            calendar_version=hold.calendar_version,
            token=hold.token,
            lease_until=hold.lease_until,
            events=hold.events,
        )
    rows = [(number, *args) for number, args in enumerate(recorder.rows)]
    connection = await asyncpg.connect(url)
    try:
        await set_codecs(connection)
        await connection.execute(_TABLE)
        # By INSERT: COPY in binary knows no text codec, and the json has to stay text.
        await connection.executemany(
            "INSERT INTO bench.holds VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)", rows
        )
        await connection.execute("VACUUM (FREEZE, ANALYZE) bench.holds")
    finally:
        await connection.close()


def run(url: str, each: int, scratch: Path) -> Timings:
    """Hold a prepared round. Raise RuntimeError when pgbench could not finish it."""
    script, log = scratch / "hold.pgbench", scratch / "pgbench"
    script.write_text(_script())
    for old in scratch.glob("pgbench.*"):
        old.unlink()
    parts = urlsplit(url)
    argv = [str(binaries() / "pgbench"), "--no-vacuum", "--protocol=prepared"]
    argv += ["-c", str(CLIENTS), "-j", str(_THREADS), "-t", str(each), "-f", str(script)]
    argv += ["--max-tries=100", "--log", f"--log-prefix={log}", "-D", "i=0", "-D", f"each={each}"]
    argv += ["-h", str(parts.hostname), "-p", str(parts.port), "-U", str(parts.username)]
    environment = {
        **os.environ,
        "PGPASSWORD": unquote(parts.password or ""),
        "PGOPTIONS": "-c default_transaction_isolation=serializable",
    }
    done = subprocess.run(
        [*argv, parts.path.lstrip("/")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    rate = re.search(r"tps = ([\d.]+) \(without", done.stdout)
    if done.returncode or rate is None or f"{CLIENTS * each}/{CLIENTS * each}" not in done.stdout:
        raise RuntimeError(f"pgbench did not finish:\n{done.stdout[-800:]}{done.stderr[-800:]}")
    seconds = list(_seconds(scratch.glob("pgbench.*")))
    return Timings.of(seconds, len(seconds) / float(rate[1]))


def _script() -> str:
    """Return what each client does: its next stay, each in its own shard's schema."""
    # The count goes on at the end: a try that PostgreSQL rolled back is run again from the top.
    lines = [
        r"\set n :client_id * :each + :i",
        rf"\set shard (:client_id + :i) % {SHARDS}",
    ]
    for shard in range(SHARDS):
        lines.append(rf"\{'if' if shard == 0 else 'elif'} :shard = {shard}")
        lines.append(_CALL.format(schema=schema_of(shard)))
    return "\n".join([*lines, r"\endif", r"\set i :i + 1", ""])


def _seconds(logs: Iterable[Path]) -> Iterable[float]:
    """Yield how long each transaction took, from pgbench's own log (its third column)."""
    for log in logs:
        for line in log.read_text().splitlines():
            yield int(line.split(" ", 3)[2]) / 1e6
