"""Find out how an authorization ended, however much of it was lost.

1. its intent is known: ask how that is now
2. it is not: ask for the authorization again under its own idempotency key, which gives the one
   intent there is, or makes it
3. the processor keeps failing at that: it may have kept a failure as its answer to our key, so look
   for the intent by its metadata
4. the key is older than the processor remembers: only look; what is not there by now never was
5. a refused intent whose challenge the cardholder could still repeat is given up before it counts
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from mesh.clock import Clock
from payments_svc.clients.processor import Authorization, IntentMoved, Processor, ProcessorBroken
from payments_svc.domain.intent import Intent, IntentStatus
from payments_svc.domain.payment import Payment, State, step_key

KEY_LIVES: Final = timedelta(hours=23)
"""Stripe forgets idempotency keys after 24 hours at the earliest."""

_NEVER_MADE: Final = Intent(
    processor_id="", status=IntentStatus.REFUSED, decline_code="processing_error"
)


@dataclass(frozen=True, kw_only=True)
class FindOutcome:
    """Ask the processor for the fact behind one payment."""

    processor: Processor
    clock: Clock

    async def __call__(self, payment: Payment) -> Intent:
        """Return the intent of a payment, made if it must be. Raise the processor's errors."""
        if payment.processor_id:
            return await self._known(payment)
        if self.clock.now() - payment.asked_at > KEY_LIVES:
            return await self.processor.find(payment.booking_id) or _NEVER_MADE
        return await self._asked_again(payment)

    async def seen(self, payment: Payment) -> Intent | None:
        """Return the intent of a payment without making one; None if none is seen yet."""
        if payment.processor_id:
            return await self._known(payment)
        return await self.processor.find(payment.booking_id)

    async def _asked_again(self, payment: Payment) -> Intent:
        request = Authorization(
            key=payment.processor_key,
            booking_id=payment.booking_id,
            payment_id=payment.payment_id,
            guest_id=payment.ask.guest_id,
            amount=payment.ask.amount,
            payment_method_id=payment.ask.payment_method_id,
        )
        try:
            return await self.processor.authorize(request)
        except ProcessorBroken:
            found = await self.processor.find(payment.booking_id)
            if found is None:
                raise
            return found

    async def _known(self, payment: Payment) -> Intent:
        intent = await self.processor.retrieve(payment.processor_id)
        challenged = payment.state is State.REQUIRES_ACTION
        if challenged and intent.status is IntentStatus.REFUSED:
            with suppress(IntentMoved):  # given up already
                await self.processor.void(intent.processor_id, key=step_key(payment, "void"))
        return intent
