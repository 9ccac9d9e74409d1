"""One payment for one booking: its states, and what a new fact makes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from mesh.errors import Conflict, FailedPrecondition, Internal
from mesh.ids import derive_id, parse
from payments_svc.domain.intent import Intent, IntentStatus
from payments_svc.domain.money import Money

RECOVERED_AFTER: Final = timedelta(seconds=20)
"""How long the call that began something has it for itself: longer than any call may take."""


class State(StrEnum):
    """Where the money stands. SETTLING and CLOSED are ours; the contract knows the others."""

    PENDING = "pending"
    """Asked for, outcome not known yet."""
    AUTHORIZED = "authorized"
    REQUIRES_ACTION = "requires_action"
    DECLINED = "declined"
    CAPTURED = "captured"
    SETTLING = "settling"
    """What to keep is decided and written down; the processor has not done it all yet."""
    VOIDED = "voided"
    REFUNDED = "refunded"
    PARTIALLY_REFUNDED = "partially_refunded"
    CLOSED = "closed"
    """Settled before it was ever asked for: it may never be asked for."""


class Action(StrEnum):
    """What happens to a payment."""

    AUTHORIZE = "authorize"
    CHALLENGE = "challenge"
    REFUSE = "refuse"
    VOID = "void"
    CAPTURE = "capture"
    REFUND = "refund"
    REFUND_IN_PART = "refund_in_part"
    SETTLE = "settle"


FACTS: Final = frozenset(Action) - {Action.SETTLE}
"""What the processor tells. It may be told late: an old fact does not undo a newer one."""
OVER: Final = frozenset({State.DECLINED, State.VOIDED, State.REFUNDED, State.CLOSED})
"""Nothing follows these; a settlement that keeps nothing leaves them as they are."""

TRANSITIONS: Final[Mapping[tuple[State, Action], State]] = {
    (State.PENDING, Action.AUTHORIZE): State.AUTHORIZED,
    (State.PENDING, Action.CHALLENGE): State.REQUIRES_ACTION,
    (State.PENDING, Action.REFUSE): State.DECLINED,
    (State.PENDING, Action.VOID): State.VOIDED,
    (State.PENDING, Action.CAPTURE): State.CAPTURED,
    (State.PENDING, Action.REFUND): State.REFUNDED,
    (State.PENDING, Action.REFUND_IN_PART): State.PARTIALLY_REFUNDED,
    (State.PENDING, Action.SETTLE): State.SETTLING,
    (State.REQUIRES_ACTION, Action.CHALLENGE): State.REQUIRES_ACTION,
    (State.REQUIRES_ACTION, Action.AUTHORIZE): State.AUTHORIZED,
    (State.REQUIRES_ACTION, Action.REFUSE): State.DECLINED,
    (State.REQUIRES_ACTION, Action.VOID): State.VOIDED,
    (State.REQUIRES_ACTION, Action.CAPTURE): State.CAPTURED,
    (State.REQUIRES_ACTION, Action.SETTLE): State.SETTLING,
    (State.AUTHORIZED, Action.CHALLENGE): State.AUTHORIZED,
    (State.AUTHORIZED, Action.AUTHORIZE): State.AUTHORIZED,
    (State.AUTHORIZED, Action.VOID): State.VOIDED,
    (State.AUTHORIZED, Action.CAPTURE): State.CAPTURED,
    (State.AUTHORIZED, Action.SETTLE): State.SETTLING,
    (State.CAPTURED, Action.CHALLENGE): State.CAPTURED,
    (State.CAPTURED, Action.AUTHORIZE): State.CAPTURED,
    (State.CAPTURED, Action.CAPTURE): State.CAPTURED,
    (State.CAPTURED, Action.REFUND): State.REFUNDED,
    (State.CAPTURED, Action.REFUND_IN_PART): State.PARTIALLY_REFUNDED,
    (State.CAPTURED, Action.SETTLE): State.SETTLING,
    (State.PARTIALLY_REFUNDED, Action.CHALLENGE): State.PARTIALLY_REFUNDED,
    (State.PARTIALLY_REFUNDED, Action.AUTHORIZE): State.PARTIALLY_REFUNDED,
    (State.PARTIALLY_REFUNDED, Action.CAPTURE): State.PARTIALLY_REFUNDED,
    (State.PARTIALLY_REFUNDED, Action.REFUND): State.REFUNDED,
    (State.PARTIALLY_REFUNDED, Action.REFUND_IN_PART): State.PARTIALLY_REFUNDED,
    (State.PARTIALLY_REFUNDED, Action.SETTLE): State.SETTLING,
    (State.SETTLING, Action.REFUSE): State.DECLINED,
    (State.SETTLING, Action.VOID): State.VOIDED,
    (State.SETTLING, Action.CAPTURE): State.CAPTURED,
    (State.SETTLING, Action.REFUND): State.REFUNDED,
    (State.SETTLING, Action.REFUND_IN_PART): State.PARTIALLY_REFUNDED,
    **{(state, fact): state for state in OVER for fact in FACTS},
    **{(state, Action.SETTLE): state for state in OVER},
}
"""Every step that exists; a missing one is `PaymentStateRefuses`.

A fact that comes while SETTLING counts only when it ends the settlement (see `settlement`).
"""


class PaymentStateRefuses(FailedPrecondition):
    """The payment is not in a state where this can happen."""

    reason = "PAYMENT_STATE_REFUSES"


class PaymentMismatch(Conflict):
    """The booking has a payment already, for another amount, card or guest."""

    reason = "PAYMENT_MISMATCH"


class PaymentClosed(FailedPrecondition):
    """The booking was given up and its money settled; it cannot be paid any more."""

    reason = "PAYMENT_CLOSED"


class IntentMixedUp(Internal):
    """The processor speaks of another intent than the one this payment is known to have."""

    reason = "INTENT_MIXED_UP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a booking asks to have authorized."""

    booking_id: str
    guest_id: str
    amount: Money
    payment_method_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One booking's payment. `retain_minor` is set once, when the booking is given up."""

    payment_id: str
    ask: Ask
    state: State
    asked_at: datetime
    updated_at: datetime
    processor_id: str = ""
    decline_code: str = ""
    captured_minor: int = 0
    refunded_minor: int = 0
    retain_minor: int | None = None
    due_at: datetime | None = None
    """When somebody else is to finish it, if it is not finished."""
    attempts: int = 0
    """How often somebody else has tried."""
    version: int = 0

    @property
    def booking_id(self) -> str:
        """Return whose payment it is."""
        return self.ask.booking_id

    @property
    def processor_key(self) -> str:
        """Return the idempotency key under which the processor is asked to authorize."""
        return step_key(self, "authorize")

    @property
    def unfinished(self) -> bool:
        """Return whether somebody must see to it that this ends."""
        return self.state in (State.PENDING, State.SETTLING)


@dataclass(frozen=True, slots=True)
class PaymentChanged:
    """It was decided where the money stands, or it moved."""

    payment: Payment

    @property
    def kind(self) -> str:
        """Return the event's name, as "payment.authorized"."""
        return f"payment.{self.payment.state}"


def payment_id_of(booking_id: str) -> str:
    """Return the one id a booking's payment can have, in the booking's bucket; raise InvalidId."""
    parts = parse(booking_id, "bkg")
    return derive_id("pay", now_ms=parts.ms, bucket=parts.bucket, seed=booking_id)


def asked(ask: Ask, now: datetime) -> Payment:
    """Return the payment as it is written down before the processor hears of it."""
    return Payment(
        payment_id=payment_id_of(ask.booking_id),
        ask=ask,
        state=State.PENDING,
        asked_at=now,
        updated_at=now,
        due_at=now + RECOVERED_AFTER,
    )


def step_key(payment: Payment, step: str) -> str:
    """Return the idempotency key of a step at the processor: one payment takes each step once."""
    return f"{payment.payment_id}:{step}"


def next_state(state: State, action: Action) -> State:
    """Return where `action` leads; raise PaymentStateRefuses when the table has no such step."""
    try:
        return TRANSITIONS[state, action]
    except KeyError:
        raise PaymentStateRefuses(
            f"a payment that is {state} has no {action}", metadata={"state": state}
        ) from None


def check_same(payment: Payment, ask: Ask) -> None:
    """Raise PaymentClosed, or PaymentMismatch, unless `ask` is what this payment is for."""
    given_up = payment.state is State.CLOSED or payment.retain_minor is not None
    if given_up and payment.state is not State.DECLINED:
        raise PaymentClosed(metadata={"booking_id": payment.booking_id})
    if payment.ask != ask:
        raise PaymentMismatch(metadata={"booking_id": payment.booking_id})


def action_of(intent: Intent) -> Action | None:
    """Return what a fact does to a payment; None when it tells nothing yet."""
    if intent.status is IntentStatus.CAPTURED and intent.refunded_minor:
        whole = intent.refunded_minor >= intent.captured_minor
        return Action.REFUND if whole else Action.REFUND_IN_PART
    return _ACTION_OF.get(intent.status)


_ACTION_OF: Final[Mapping[IntentStatus, Action]] = {
    IntentStatus.CHALLENGED: Action.CHALLENGE,
    IntentStatus.REFUSED: Action.REFUSE,
    IntentStatus.AUTHORIZED: Action.AUTHORIZE,
    IntentStatus.CAPTURED: Action.CAPTURE,
    IntentStatus.CANCELLED: Action.VOID,
}


def with_fact(payment: Payment, intent: Intent, now: datetime) -> Payment:
    """Return the payment in the light of a fact; itself when the fact tells nothing new.

    Raise PaymentStateRefuses, or IntentMixedUp.
    """
    known = _with_id(payment, intent)
    action = action_of(intent)
    if action is None:
        return _stamped(payment, known, now)
    state = next_state(payment.state, action)
    if payment.state in OVER:
        return _stamped(payment, known, now)
    decided = replace(
        known,
        state=state,
        decline_code=intent.decline_code or known.decline_code,
        captured_minor=max(intent.captured_minor, known.captured_minor),
        refunded_minor=max(intent.refunded_minor, known.refunded_minor),
        due_at=None,
        attempts=0,
    )
    return _stamped(payment, decided, now)


def with_id(payment: Payment, intent: Intent, now: datetime) -> Payment:
    """Return the payment knowing nothing new but its intent; raise IntentMixedUp."""
    return _stamped(payment, _with_id(payment, intent), now)


def event_of(before: Payment | None, after: Payment) -> PaymentChanged | None:
    """Return what the others are told of a change: what was decided, not what is under way."""
    if after.unfinished or after.state is State.CLOSED:
        return None
    if before is not None and _shown(before) == _shown(after):
        return None
    return PaymentChanged(after)


def _with_id(payment: Payment, intent: Intent) -> Payment:
    if not intent.processor_id or intent.processor_id == payment.processor_id:
        return payment
    if payment.processor_id:
        raise IntentMixedUp(f"{payment.payment_id}: {payment.processor_id} is known")
    return replace(payment, processor_id=intent.processor_id)


def _stamped(before: Payment, after: Payment, now: datetime) -> Payment:
    if after == before:
        return before
    return replace(after, version=before.version + 1, updated_at=now)


def _shown(payment: Payment) -> tuple[object, ...]:
    return (payment.state, payment.captured_minor, payment.refunded_minor)
