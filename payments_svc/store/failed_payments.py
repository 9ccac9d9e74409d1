"""Steps that could not be done, for an operator to look at."""

from datetime import datetime
from pathlib import Path
from typing import Final

from mesh.data.postgres import Shards
from mesh.data.sql import load

_q: Final = load(Path(__file__).with_name("failed_payments.sql"))


class FailedPayments:
    """The failures of all shards; a payment's are resolved when it is written as finished."""

    def __init__(self, shards: Shards) -> None:
        self._shards = shards

    async def note(
        self, booking_id: str, step: str, *, reason: str, message: str, now: datetime
    ) -> None:
        """Note that a step could not be done, once more."""
        await self._shards.write(
            self._shards.of(booking_id), _q.note_failure, booking_id, step, reason, message, now
        )
