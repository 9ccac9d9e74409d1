"""Get a profile.

1. Only one's own: anybody else's is answered like one that does not exist.
2. Read it.
"""

from dataclasses import dataclass

from accounts_svc.domain.user import User, UserNotFound, own_id
from accounts_svc.store.users import Users
from mesh.aio import require_user


@dataclass(frozen=True, kw_only=True)
class GetUser:
    """Show a person their own profile."""

    users: Users

    async def __call__(self, asked: str) -> User:
        """Return the profile; `asked` is an id, or `me`. Raise UserNotFound."""
        user = await self.users.get(own_id(asked, require_user().user_id))
        if user is None:
            raise UserNotFound("no such user")
        return user
