"""What the flows need of a card processor, and how it may fail them."""

from dataclasses import dataclass
from typing import Protocol

from mesh.errors import Conflict, Internal, Invalid, Unavailable
from payments_svc.domain.intent import Intent
from payments_svc.domain.money import Money


class ProcessorUnreachable(Unavailable):
    """No answer came: it may or may not have been done."""

    reason = "PROCESSOR_UNREACHABLE"


class ProcessorBroken(Unavailable):
    """It answered that it failed: it may or may not have been done."""

    reason = "PROCESSOR_BROKEN"


class ProcessorBusy(Unavailable):
    """Nothing was done: too many calls, or another under the same key is under way."""

    reason = "PROCESSOR_BUSY"


class ProcessorRefuses(Internal):
    """It will not do what we ask: our key, our parameters, or our idempotency keys are wrong."""

    reason = "PROCESSOR_REFUSES"


class IntentMoved(Conflict):
    """The intent is not in a state where this step can be taken; ask how it is now."""

    reason = "INTENT_MOVED"


class NotChargeable(Invalid):
    """The processor cannot charge this amount in this currency."""

    reason = "AMOUNT_NOT_CHARGEABLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """A hold to be put on a card. Asked twice under one `key`, it is put once."""

    key: str
    booking_id: str
    payment_id: str
    guest_id: str
    amount: Money
    payment_method_id: str


class Processor(Protocol):
    """Cards, by intents. Whatever has a `key` is done once, however often it is asked.

    Everything raises ProcessorUnreachable, ProcessorBroken, ProcessorBusy, ProcessorRefuses.
    """

    def check_chargeable(self, amount: Money) -> None:
        """Raise NotChargeable for an amount that can only be refused."""
        ...

    async def authorize(self, request: Authorization) -> Intent:
        """Put a hold on a card, and return how that is now. A refusal is an answer."""
        ...

    async def retrieve(self, processor_id: str) -> Intent:
        """Return an intent as it is now."""
        ...

    async def find(self, booking_id: str) -> Intent | None:
        """Return the intent of a booking, found by its metadata, as it is now.

        One that is younger than a minute may not be found yet.
        """
        ...

    async def void(self, processor_id: str, *, key: str) -> Intent:
        """Give up an intent that nothing was captured of. Raise IntentMoved."""
        ...

    async def capture(self, processor_id: str, amount: Money, *, key: str) -> Intent:
        """Take a part of a hold, or all; the rest goes back. Raise IntentMoved."""
        ...

    async def refund(self, processor_id: str, amount: Money, *, key: str) -> Intent:
        """Give back of what was captured. Raise IntentMoved."""
        ...
