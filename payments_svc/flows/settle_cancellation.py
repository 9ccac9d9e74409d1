"""End the payment of a booking that was given up: keep what is to be kept, return the rest.

1. write the decision down; from then on no authorization of this booking comes to anything. A
   booking that was never asked money for gets a mark that it may not be
2. find the intent. If it is not known, the authorization is asked for again under its own key: a
   call that is still on its way then meets the same intent, which is given up
3. take the step that its state asks for: void, capture in part, or refund, each under its own key
4. write down what came of it; again from 3 until nothing is left to do

Whatever stops it, the recovery goes on from the decision.
"""

from dataclasses import dataclass
from typing import Final

from mesh.aio import Keyed
from mesh.clock import Clock
from mesh.errors import Internal
from payments_svc.clients.processor import IntentMoved, Processor, ProcessorBroken
from payments_svc.domain.intent import Intent
from payments_svc.domain.money import Money
from payments_svc.domain.payment import Payment, State, step_key
from payments_svc.domain.settlement import (
    Capture,
    Refund,
    Step,
    Void,
    closed,
    fell_short,
    next_step,
    settling,
)
from payments_svc.flows.failures import NoteFailures
from payments_svc.flows.learn import Learn
from payments_svc.flows.outcome import FindOutcome
from payments_svc.store.payments import Payments

_MOST_STEPS: Final = 4
"""A capture and a refund at most, and once more each for an intent that moved meanwhile."""


class SettlementStuck(Internal):
    """The processor keeps saying something else than what was asked of it."""

    reason = "SETTLEMENT_STUCK"


@dataclass(frozen=True, kw_only=True)
class SettleCancellation:
    """Settle one payment."""

    payments: Payments
    processor: Processor
    outcome: FindOutcome
    learn: Learn
    failures: NoteFailures
    locks: Keyed[str]
    clock: Clock

    async def __call__(self, booking_id: str, retain: Money) -> Payment:
        """Return the settled payment.

        Raise CurrencyMismatch, SettledOtherwise, RetainsTooMuch, or Unavailable when the processor
        could not be brought to do it yet: it is decided all the same, and will be done.
        """
        payment = await self.payments.change(
            booking_id, lambda known: self._decided(known, booking_id, retain)
        )
        if payment.state is not State.SETTLING:
            return payment
        async with self.locks.lock(booking_id), self.failures.of(payment, "settle"):
            return await self.finish(payment)

    async def finish(self, payment: Payment) -> Payment:
        """Take the steps that a decided settlement still needs."""
        intent = await self.outcome(payment)
        for _ in range(_MOST_STEPS):
            payment = await self.learn(payment.booking_id, intent)
            if payment.state is not State.SETTLING:
                await self._look_for_loss(payment)
                return payment
            step = next_step(payment, intent)
            assert step is not None, "a settlement without a step is over"
            intent = await self._taken(payment, intent, step)
        raise SettlementStuck(f"{payment.payment_id}: {intent}")

    def _decided(self, known: Payment | None, booking_id: str, retain: Money) -> Payment:
        now = self.clock.now()
        return closed(booking_id, retain, now) if known is None else settling(known, retain, now)

    async def _taken(self, payment: Payment, intent: Intent, step: Step) -> Intent:
        """Take one step and return the intent after it, also when the answer was lost."""
        try:
            return await self._take(payment, intent.processor_id, step)
        except IntentMoved:
            return await self.processor.retrieve(intent.processor_id)
        except ProcessorBroken:
            now_is = await self.processor.retrieve(intent.processor_id)
            if now_is == intent:
                raise
            return now_is

    async def _take(self, payment: Payment, processor_id: str, step: Step) -> Intent:
        currency = payment.ask.amount.currency
        match step:
            case Void():
                return await self.processor.void(processor_id, key=step_key(payment, "void"))
            case Capture(minor):
                return await self.processor.capture(
                    processor_id, Money(minor, currency), key=step_key(payment, "capture")
                )
            case Refund(minor):
                return await self.processor.refund(
                    processor_id, Money(minor, currency), key=step_key(payment, "refund")
                )

    async def _look_for_loss(self, payment: Payment) -> None:
        if fell_short(payment):
            await self.failures.now(
                payment, "retain", "RETAINED_LESS", "the hold had lapsed before it was captured"
            )
