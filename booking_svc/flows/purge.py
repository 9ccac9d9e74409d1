"""Forget what nobody will ask for again: quotes a day after their end, old idempotency keys."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from booking_svc.store.quotes import Quotes
from mesh.clock import Clock
from mesh.data.idempotency import Idempotency
from mesh.errors import MeshError

_log = structlog.stdlib.get_logger(__name__)
_KEEP_QUOTES: Final = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Purge:
    """One round, or rounds without end; several processes may do it at once."""

    quotes: Quotes
    keys: Idempotency
    clock: Clock

    async def __call__(self) -> None:
        """Delete what is too old."""
        await self.quotes.purge(self.clock.now() - _KEEP_QUOTES)
        await self.keys.purge()

    async def forever(self, every_seconds: float) -> None:
        """Do rounds until cancelled; one that fails is logged and the next one tries again."""
        while True:
            await asyncio.sleep(every_seconds)
            try:
                await self()
            except MeshError as error:
                _log.warning("purge failed", reason=error.reason)
