"""Log out.

1. End the session that the access token names. A second time changes nothing.

The access token itself is good to its end, an hour at most: it is checked without asking us.
"""

from dataclasses import dataclass

from accounts_svc.store.sessions import Sessions
from mesh.aio import require_user
from mesh.clock import Clock


@dataclass(frozen=True, kw_only=True)
class LogOut:
    """End a session."""

    clock: Clock
    sessions: Sessions

    async def __call__(self) -> None:
        """End the caller's session."""
        caller = require_user()
        await self.sessions.revoke(caller.session_id, caller.user_id, self.clock.now())
