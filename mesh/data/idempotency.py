"""Remember calls by the client's key, in the service's own database.

A key is taken by one statement, so of any number of simultaneous calls exactly one runs. The
runner holds a lease of 30 seconds, longer than any call's deadline: when it crashes, the key can
be taken again after that, with the same `first_seen` and the next attempt number, so that the flow
derives the same ids and continues what it began. An answer is kept for 72 hours.

The row's shard is a hash of the caller, so that a caller's keys are found without knowing what the
call is about. Time is PostgreSQL's: one clock for all processes.
"""

import hashlib
from pathlib import Path
from typing import Final

from mesh.data.postgres import Shards
from mesh.data.sql import load
from mesh.rpc.idempotency import Begun, InProgress, Mismatch, Replay, Run, Scope

LEASE_SECONDS: Final = 30.0
KEPT_SECONDS: Final = 72 * 3600.0
_PURGED_AT_ONCE: Final = 1000
_q = load(Path(__file__).with_name("idempotency.sql"))


class Idempotency:
    """The store that `mesh.rpc` asks; see `mesh.rpc.idempotency.IdempotencyStore`."""

    def __init__(self, shards: Shards, *, lease_seconds: float = LEASE_SECONDS) -> None:
        self._shards = shards
        self._lease_seconds = lease_seconds

    async def begin(self, scope: Scope, fingerprint: bytes) -> Begun:
        """Take the key for a lease, or say why not. Raise Unavailable when nobody can tell."""
        shard = self._shard(scope)
        name = (scope.caller, scope.method, scope.key)
        # Not idempotent: if the connection is lost the lease may be ours without our knowing.
        taken = await self._shards.write(shard, _q.take, *name, fingerprint, self._lease_seconds)
        if taken:
            return Run(taken[0]["attempt"], taken[0]["first_seen"])
        # `transact`, not `fetch`: a replica might not have the answer yet.
        row = await self._shards.transact(shard, lambda tx: tx.fetchrow(_q.found, *name))
        if row is None:  # purged in between: as good as a key never seen
            return InProgress(retry_after_seconds=0.0)
        if row["fingerprint"] != fingerprint:
            return Mismatch()
        if row["response"] is not None:
            return Replay(row["response"])
        return InProgress(retry_after_seconds=max(0.0, row["lease_seconds"]))

    async def finish(self, scope: Scope, attempt: int, response: bytes) -> None:
        """Keep the answer; do nothing when the lease has passed to a later attempt."""
        name = (scope.caller, scope.method, scope.key)
        await self._shards.write(
            self._shard(scope), _q.finish, *name, attempt, response, idempotent=True
        )

    async def fail(self, scope: Scope, attempt: int) -> None:
        """Give the key back for a next attempt, unless it has passed to one already."""
        name = (scope.caller, scope.method, scope.key)
        await self._shards.write(self._shard(scope), _q.fail, *name, attempt, idempotent=True)

    async def purge(self, kept_seconds: float = KEPT_SECONDS) -> int:
        """Forget keys first seen longer ago, and return how many; for a service's sweep."""
        gone = 0
        for shard in self._shards.numbers:
            full = True
            while full:
                purged = await self._shards.write(shard, _q.purge, kept_seconds, _PURGED_AT_ONCE)
                gone += len(purged)
                full = len(purged) == _PURGED_AT_ONCE
        return gone

    def _shard(self, scope: Scope) -> int:
        digest = hashlib.sha256(scope.caller.encode()).digest()
        return digest[0] * len(self._shards.numbers) // 256
