"""Verify an e-mail address.

1. Read the token: it names the shard of its person.
2. In one transaction: find its sign-up by hash; a used one is answered as before, an old one is
   refused; let the sign-up be the person, delete the person's other tokens, leave the event.
"""

from dataclasses import dataclass

from accounts_svc.domain.verification import Token
from accounts_svc.store.users import Users
from mesh.clock import Clock


@dataclass(frozen=True, kw_only=True)
class VerifyEmail:
    """Take a token that was mailed as proof of the address it was mailed to."""

    clock: Clock
    users: Users

    async def __call__(self, token: str) -> str:
        """Return the id of the person; raise VerificationTokenInvalid."""
        return await self.users.prove(Token.parse(token), self.clock.now())
