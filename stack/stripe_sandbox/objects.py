"""The sandbox's memory: one SQLite file, committed before any answer leaves.

Everything is done in the event loop's own thread, one call at a time, so a call is atomic.
"""

import json
import secrets
import sqlite3
import string
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mesh.clock import Clock

_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    seq  INTEGER PRIMARY KEY,
    id   TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS kept_answers (
    idempotency_key TEXT PRIMARY KEY,
    fingerprint     TEXT NOT NULL,
    status          INTEGER NOT NULL,
    body            TEXT NOT NULL,
    request_id      TEXT NOT NULL
);
"""
_LETTERS = string.ascii_letters + string.digits

Object = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """The first answer given under an idempotency key."""

    fingerprint: str
    status: int
    body: str
    request_id: str


class Objects:
    """Every object by id, in the order of creation, and the kept answers."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._clock = clock
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(_SCHEMA)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._db.close()

    def now_seconds(self) -> int:
        """Return the time as Stripe writes it: seconds since 1970."""
        return int(self._clock.now().timestamp())

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what the block wrote, or nothing of it when it raises."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def put(self, body: Object) -> None:
        """Store an object, new or changed."""
        self._db.execute(
            "INSERT INTO objects (id, kind, body) VALUES (?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET body = excluded.body",
            (body["id"], body["object"], json.dumps(body)),
        )

    def get(self, kind: str, some_id: str) -> Object | None:
        """Return an object of a kind, or None."""
        row = self._db.execute(
            "SELECT body FROM objects WHERE id = ? AND kind = ?", (some_id, kind)
        ).fetchone()
        return None if row is None else json.loads(row[0])

    def newest(self, kind: str) -> Iterator[Object]:
        """Yield the objects of a kind, the last created first."""
        rows = self._db.execute(
            "SELECT body FROM objects WHERE kind = ? ORDER BY seq DESC", (kind,)
        )
        for (body,) in rows:
            yield json.loads(body)

    def keep_answer(self, key: str, answer: KeptAnswer) -> None:
        """Keep the answer to the first call under a key."""
        self._db.execute(
            "INSERT INTO kept_answers VALUES (?, ?, ?, ?, ?)",
            (key, answer.fingerprint, answer.status, answer.body, answer.request_id),
        )

    def kept_answer(self, key: str) -> KeptAnswer | None:
        """Return the answer kept under a key, or None."""
        row = self._db.execute(
            "SELECT fingerprint, status, body, request_id FROM kept_answers"
            " WHERE idempotency_key = ?",
            (key,),
        ).fetchone()
        if row is None:
            return None
        return KeptAnswer(fingerprint=row[0], status=row[1], body=row[2], request_id=row[3])


def new_id(prefix: str, length: int = 24) -> str:
    """Return an id as Stripe's look: `pi_` and letters and digits."""
    return prefix + "_" + "".join(secrets.choice(_LETTERS) for _ in range(length))
