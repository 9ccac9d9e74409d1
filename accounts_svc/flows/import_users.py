"""Import users.

1. Ids follow from (source, source id), so the same people are the same people next time.
2. Those who can sign in: claim the address, hash the password. An address that somebody else has
   stays theirs, and the imported person comes without.
3. Put in who is not there yet, shard by shard, each with its event.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from accounts_svc.domain.address import Address
from accounts_svc.domain.imported import ImportedUser, imported_id
from accounts_svc.domain.user import Account
from accounts_svc.flows.needs import Passwords
from accounts_svc.store.emails import Emails
from accounts_svc.store.users import Users
from mesh.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """The people's ids, in the order they were given, and how many were new."""

    user_ids: Sequence[str]
    created: int


@dataclass(frozen=True, kw_only=True)
class ImportUsers:
    """Load people from elsewhere; loading twice changes nothing."""

    clock: Clock
    emails: Emails
    users: Users
    passwords: Passwords

    async def __call__(self, source: str, people: Sequence[ImportedUser]) -> Imported:
        """Load people; raise Unavailable."""
        now = self.clock.now()
        accounts = [await self._account(source, person, now) for person in people]
        created = await self.users.import_all(accounts, now)
        return Imported(user_ids=[account.user.user_id for account in accounts], created=created)

    async def _account(self, source: str, person: ImportedUser, now: datetime) -> Account:
        plain = Account(user=person.user(source, "", now), password_hash="")
        if not person.can_sign_in:
            return plain
        address = Address.of(person.email)
        user_id = imported_id(source, person.source_id)
        if await self.emails.claim(address, user_id, now) != user_id:
            return plain
        return replace(
            plain,
            user=person.user(source, address.text, now),
            password_hash=await self.passwords.hash(person.password),
        )
