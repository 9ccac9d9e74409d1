"""Write down what could not be done, for an operator; what began it is tried again anyway."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import structlog

from mesh.clock import Clock
from mesh.errors import Kind, MeshError
from payments_svc.domain.payment import Payment
from payments_svc.store.failed_payments import FailedPayments

_log = structlog.stdlib.get_logger(__name__)
_SERIOUS: Final = frozenset({Kind.UNAVAILABLE, Kind.INTERNAL})


@dataclass(frozen=True, kw_only=True)
class NoteFailures:
    """Keep a list of what went wrong."""

    failed_payments: FailedPayments
    clock: Clock

    @asynccontextmanager
    async def of(self, payment: Payment, step: str) -> AsyncIterator[None]:
        """Let the block's error pass, and note it when it is the processor's or ours."""
        try:
            yield
        except MeshError as error:
            if error.kind in _SERIOUS:
                await self._note(payment, step, error)
            raise

    async def _note(self, payment: Payment, step: str, error: MeshError) -> None:
        _log.warning(
            "payment step failed", payment_id=payment.payment_id, step=step, exc_info=error
        )
        try:
            await self.now(payment, step, error.reason, error.message)
        except MeshError as second:
            # The first error is the one that counts; the step is tried again all the same.
            _log.warning("failure not noted", payment_id=payment.payment_id, reason=second.reason)

    async def now(self, payment: Payment, step: str, reason: str, message: str) -> None:
        """Note a failure."""
        await self.failed_payments.note(
            payment.booking_id, step, reason=reason, message=message, now=self.clock.now()
        )
