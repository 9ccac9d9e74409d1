"""Write down what the processor said, with the event that tells it."""

from dataclasses import dataclass

from mesh.clock import Clock
from payments_svc.domain.intent import Intent
from payments_svc.domain.payment import Payment
from payments_svc.domain.settlement import learned
from payments_svc.store.payments import Payments


@dataclass(frozen=True, kw_only=True)
class Learn:
    """Bring one payment up to date with a fact."""

    payments: Payments
    clock: Clock

    async def __call__(self, booking_id: str, intent: Intent) -> Payment:
        """Return the payment in the light of the fact. Raise PaymentStateRefuses."""

        def decide(known: Payment | None) -> Payment:
            assert known is not None, f"{booking_id} is asked about and not written down"
            return learned(known, intent, self.clock.now())

        return await self.payments.change(booking_id, decide)
