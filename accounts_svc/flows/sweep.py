"""Sweep: forget what is over.

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
class SweepFlow:
    """Delete rows that nothing asks for any more."""

    clock: Clock
    emails: Emails
    users: Users
    sessions: Sessions

    async def run(self) -> None:
        """Sweep once; raise Unavailable."""
        now = self.clock.now()
        await self.emails.sweep(now - max(LOG_IN.window, SIGN_UP.window))
        await self.users.sweep(now - KEPT)
        await self.sessions.sweep(now - KEPT)

    async def forever(self, every: timedelta) -> None:
        """Sweep now and then; a sweep that fails is tried again the next time."""
        while True:
            await asyncio.sleep(every.total_seconds())
            try:
                await self.run()
            except MeshError:
                _log.warning("sweep failed", exc_info=True)
