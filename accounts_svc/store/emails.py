"""The directory of e-mail addresses, and how often each was tried."""

from datetime import datetime
from pathlib import Path
from typing import Final

from accounts_svc.domain.address import Address
from accounts_svc.domain.attempts import Rule
from mesh.data.postgres import Shards
from mesh.data.sql import load
from mesh.ids import BUCKETS

_q: Final = load(Path(__file__).with_name("emails.sql"))


class Emails:
    """The addresses of all shards; each in the shard of its hash."""

    def __init__(self, shards: Shards) -> None:
        self._shards = shards

    async def claim(self, address: Address, user_id: str, now: datetime) -> str:
        """Reserve an address for `user_id` unless somebody has it; return who has it now."""
        rows = await self._shards.write(
            self._shard(address), _q.claim_email, address.digest, user_id, now, idempotent=True
        )
        return str(rows[0]["user_id"])

    async def owner(self, address: Address) -> str | None:
        """Return who has an address, as the primary knows it."""
        rows = await self._shards.write(
            self._shard(address), _q.owner_of_email, address.digest, idempotent=True
        )
        return str(rows[0]["user_id"]) if rows else None

    async def count_attempt(self, rule: Rule, address: Address, now: datetime) -> None:
        """Count an attempt; raise TooManyAttempts when it is beyond the rule."""
        rows = await self._shards.write(
            self._shard(address),
            _q.count_attempt,
            rule.action,
            address.digest,
            now,
            now - rule.window,
            idempotent=True,  # counting one too many is no harm
        )
        rule.check(rows[0]["count"], rows[0]["since"], now)

    async def forget_attempts(self, rule: Rule, address: Address) -> None:
        """Begin to count anew."""
        await self._shards.write(
            self._shard(address), _q.forget_attempts, rule.action, address.digest, idempotent=True
        )

    async def purge(self, before: datetime) -> None:
        """Delete counts of windows that began before an instant."""
        for shard in self._shards.numbers:
            await self._shards.write(shard, _q.purge_attempts, before, idempotent=True)

    def _shard(self, address: Address) -> int:
        return address.bucket * len(self._shards.numbers) // BUCKETS
