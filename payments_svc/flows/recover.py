"""Finish what a crash, or a processor that was down, left half-done.

1. take payments that are due: pending ones and settlements, each for one process at a time
2. pending: ask for the authorization again under its own key, write down how it ended
3. settling: take the steps that are left
4. what fails is noted for an operator and is due again after a pause that doubles

A call has 20 s for itself before its payment is due, and rounds are seconds apart.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from mesh.aio import Group, Keyed, within
from mesh.clock import Clock
from mesh.errors import MeshError
from payments_svc.domain.payment import Payment, State
from payments_svc.flows.failures import NoteFailures
from payments_svc.flows.learn import Learn
from payments_svc.flows.outcome import FindOutcome
from payments_svc.flows.settle_cancellation import SettleCancellation
from payments_svc.store.payments import Payments

_log = structlog.stdlib.get_logger(__name__)

_AT_ONCE: Final = 8
_BATCH: Final = 20
"""Of each shard, in one round."""
_ONE_SECONDS: Final = 12.0
_PAUSE: Final = timedelta(seconds=15)
"""Longer than one may take, so that two processes are never at the same payment."""


@dataclass(frozen=True, kw_only=True)
class Recover:
    """One round, or rounds without end."""

    payments: Payments
    outcome: FindOutcome
    learn: Learn
    settle: SettleCancellation
    failures: NoteFailures
    locks: Keyed[str]
    clock: Clock

    async def __call__(self) -> int:
        """Do one round and return how many payments it took up."""
        due = await self.payments.claim_due(self.clock.now(), _BATCH, _PAUSE)
        async with Group(limit=_AT_ONCE) as group:
            for payment in due:
                await group.go(self._alone(payment))
        return len(due)

    async def forever(self, every_seconds: float) -> None:
        """Do rounds until cancelled. A round that fails is logged, and the next one tries again."""
        while True:
            try:
                await self()
            except MeshError as error:
                _log.warning("recovery failed", reason=error.reason)
            await asyncio.sleep(every_seconds)

    async def _alone(self, payment: Payment) -> None:
        """Recover one, and let its failure be its own: the others are not to wait for it."""
        try:
            async with within(_ONE_SECONDS), self.locks.lock(payment.booking_id):
                after = await self._one(payment)
            _log.info("recovered", payment_id=payment.payment_id, state=after.state.value)
        except MeshError as error:
            _log.warning("not recovered", payment_id=payment.payment_id, reason=error.reason)
        except Exception:
            _log.error("not recovered", payment_id=payment.payment_id, exc_info=True)

    async def _one(self, payment: Payment) -> Payment:
        if payment.state is State.SETTLING:
            async with self.failures.of(payment, "settle"):
                return await self.settle.finish(payment)
        async with self.failures.of(payment, "authorize"):
            intent = await self.outcome(payment)
        return await self.learn(payment.booking_id, intent)
