"""People, and the sign-ups that wait for their address to be proven."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from accounts_svc.convert import user_changed
from accounts_svc.domain.user import CREATED, VERIFIED, Account, Role, User, UserChanged
from accounts_svc.domain.verification import PendingSignUp, Token, VerificationTokenInvalid
from mesh.aio import Group
from mesh.data import outbox
from mesh.data.outbox import OutboxRow
from mesh.data.postgres import Record, Shards, Transaction
from mesh.data.sql import load
from mesh.ids import BUCKETS

_q: Final = load(Path(__file__).with_name("users.sql"))
_SHARDS_AT_ONCE: Final = 4
_TOPIC: Final = "staymesh.users"


class Users:
    """The people of all shards; each in the shard of their id."""

    def __init__(self, shards: Shards) -> None:
        self._shards = shards

    async def settle(self, sign_up: PendingSignUp, created: UserChanged) -> bool:
        """Write a sign-up with its token; return False when the person's address is proven.

        Then nothing of the person has changed. `created` is told when the person is new.
        """
        rows = await self._shards.write(
            self._shards.of(sign_up.user_id),
            _q.settle_sign_up,
            sign_up.user_id,
            sign_up.email,
            sign_up.password_hash,
            sign_up.first_name,
            sign_up.last_name,
            sorted(sign_up.roles),
            sign_up.token_digest,
            sign_up.created_at,
            sign_up.expires_at,
            *_row(created).args,
            idempotent=True,
        )
        return not rows[0]["proven"]

    async def prove(self, token: Token, now: datetime) -> str:
        """Let the sign-up of a token be the person, and tell; return their id.

        A token that was used already gives its person again. Raise VerificationTokenInvalid for
        any other.
        """

        async def run(tx: Transaction) -> str:
            found = await tx.fetchrow(_q.sign_up_of_token, token.digest)
            if found is None:
                raise VerificationTokenInvalid("unknown, or too old: sign up again for a new one")
            user_id = str(found["user_id"])
            if found["used_at"] is not None:
                return user_id
            if found["expires_at"] <= now:
                raise VerificationTokenInvalid("unknown, or too old: sign up again for a new one")
            proven = await tx.fetchrow(_q.prove_email, token.digest, now)
            assert proven is not None
            await tx.execute(_q.drop_other_tokens, user_id)
            change = UserChanged(kind=VERIFIED, user=_account(proven).user, occurred_at=now)
            await outbox.add(tx, _row(change))
            return user_id

        shard = token.bucket * len(self._shards.numbers) // BUCKETS
        return await self._shards.transact(shard, run)

    async def account(self, user_id: str) -> Account | None:
        """Return a person with their password's hash, as the primary knows them."""
        shard = self._shards.of(user_id)
        rows = await self._shards.write(shard, _q.get_user, user_id, idempotent=True)
        return _account(rows[0]) if rows else None

    async def get(self, user_id: str) -> User | None:
        """Return a person; None if there is none."""
        row = await self._shards.fetchrow(self._shards.of(user_id), _q.get_user, user_id)
        return None if row is None else _account(row).user

    async def import_all(self, accounts: Iterable[Account], now: datetime) -> int:
        """Put those in who are not there yet, and tell of each; return how many."""
        by_shard: dict[int, dict[str, Account]] = {}
        for account in accounts:
            user_id = account.user.user_id
            by_shard.setdefault(self._shards.of(user_id), {})[user_id] = account
        async with Group(limit=_SHARDS_AT_ONCE) as group:
            tasks = [
                await group.go(self._import(shard, some, now)) for shard, some in by_shard.items()
            ]
        return sum(task.result() for task in tasks)

    async def _import(self, shard: int, accounts: Mapping[str, Account], now: datetime) -> int:
        users = [account.user for account in accounts.values()]
        events = [_row(UserChanged(kind=CREATED, user=user, occurred_at=now)) for user in users]
        rows = await self._shards.write(
            shard,
            _q.import_users,
            [user.user_id for user in users],
            [user.email for user in users],
            [account.password_hash for account in accounts.values()],
            [user.first_name for user in users],
            [",".join(sorted(user.roles)) for user in users],
            [user.superhost for user in users],
            [event.payload for event in events],
            now,
            _TOPIC,
            CREATED,
            dict(events[0].headers),
            idempotent=True,
        )
        return len(rows)

    async def purge(self, before: datetime) -> None:
        """Delete tokens that ended before an instant."""
        for shard in self._shards.numbers:
            await self._shards.write(shard, _q.purge_verifications, before, idempotent=True)


def _row(change: UserChanged) -> OutboxRow:
    payload = user_changed(change).SerializeToString()
    return OutboxRow(topic=_TOPIC, key=change.user.user_id, kind=change.kind, payload=payload)


def _account(row: Record) -> Account:
    user = User(
        user_id=row["user_id"],
        email=row["email"] or "",
        first_name=row["first_name"],
        last_name=row["last_name"],
        roles=frozenset(Role(role) for role in row["roles"]),
        email_verified=row["email_verified_at"] is not None,
        superhost=row["superhost"],
        created_at=row["created_at"],
    )
    return Account(user=user, password_hash=row["password_hash"] or "")
