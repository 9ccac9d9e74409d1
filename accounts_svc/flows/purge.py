"""Purge: forget what is over.

1. Counts of attempts, when every window that they could be in has passed.
2. Sessions and tokens that ended a month ago; until then a token is answered as used or too old.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from accounts_svc.domain.attempts import LOG_IN, SIGN_UP
from accounts_svc.store.emails import Emails
from accounts_svc.store.sessions import Sessions
from accounts_svc.store.users import Users
from mesh.clock import Clock
from mesh.errors import MeshError

_log = structlog.stdlib.get_logger(__name__)
KEPT: Final = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class Purge:
    """Delete rows that nothing asks for any more."""

    clock: Clock
    emails: Emails
    users: Users
    sessions: Sessions

    async def __call__(self) -> None:
        """Do one round; raise Unavailable."""
        now = self.clock.now()
        await self.emails.purge(now - max(LOG_IN.window, SIGN_UP.window))
        await self.users.purge(now - KEPT)
        await self.sessions.purge(now - KEPT)

    async def forever(self, every_seconds: float) -> None:
        """Do rounds until cancelled; one that fails is logged and the next one tries again."""
        while True:
            await asyncio.sleep(every_seconds)
            try:
                await self()
            except MeshError as error:
                _log.warning("purge failed", reason=error.reason)
