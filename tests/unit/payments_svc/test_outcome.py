"""How an outcome is found, against a processor that answers as told."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from mesh.clock import FixedClock
from payments_svc.clients.processor import Authorization, IntentMoved, ProcessorBroken
from payments_svc.domain.intent import Intent, IntentStatus
from payments_svc.domain.money import Money
from payments_svc.domain.payment import State
from payments_svc.flows.outcome import KEY_LIVES, FindOutcome
from tests.unit.payments_svc.payments import NOW, intent, payment

AUTHORIZED = intent(IntentStatus.AUTHORIZED)


@dataclass
class Scripted:
    """A processor that keeps a list of what it was asked."""

    authorized: Intent | None = None
    retrieved: Intent | None = None
    found: Intent | None = None
    voided: Intent | None = None
    asked: list[str] = field(default_factory=list)

    def check_chargeable(self, amount: Money) -> None:
        raise AssertionError("not asked here")

    async def authorize(self, request: Authorization) -> Intent:
        self.asked.append(f"authorize {request.key}")
        if self.authorized is None:
            raise ProcessorBroken
        return self.authorized

    async def retrieve(self, processor_id: str) -> Intent:
        self.asked.append(f"retrieve {processor_id}")
        assert self.retrieved is not None
        return self.retrieved

    async def find(self, booking_id: str) -> Intent | None:
        self.asked.append("find")
        return self.found

    async def void(self, processor_id: str, *, key: str) -> Intent:
        self.asked.append(f"void {key}")
        if self.voided is None:
            raise IntentMoved
        return self.voided

    async def capture(self, processor_id: str, amount: Money, *, key: str) -> Intent:
        raise AssertionError("not asked here")

    async def refund(self, processor_id: str, amount: Money, *, key: str) -> Intent:
        raise AssertionError("not asked here")


def outcome(processor: Scripted, age: timedelta = timedelta(0)) -> FindOutcome:
    return FindOutcome(processor=processor, clock=FixedClock(NOW + age))


async def test_an_unknown_outcome_is_asked_for_under_the_payments_own_key() -> None:
    processor = Scripted(authorized=AUTHORIZED)
    assert await outcome(processor)(payment()) == AUTHORIZED
    assert processor.asked == [f"authorize {payment().payment_id}:authorize"]


async def test_a_known_intent_is_asked_how_it_is() -> None:
    processor = Scripted(retrieved=AUTHORIZED)
    assert await outcome(processor)(payment(processor_id="pi_1")) == AUTHORIZED
    assert processor.asked == ["retrieve pi_1"]


async def test_a_failure_kept_as_the_answer_to_our_key_is_got_around() -> None:
    processor = Scripted(found=AUTHORIZED)
    assert await outcome(processor)(payment()) == AUTHORIZED
    assert processor.asked[1:] == ["find"]


async def test_a_failure_with_nothing_to_be_seen_leaves_it_open() -> None:
    with pytest.raises(ProcessorBroken):
        await outcome(Scripted())(payment())


async def test_a_key_the_processor_has_forgotten_is_never_used_again() -> None:
    processor = Scripted(authorized=AUTHORIZED)
    told = await outcome(processor, KEY_LIVES + timedelta(seconds=1))(payment())
    assert told.status is IntentStatus.REFUSED
    assert processor.asked == ["find"]


async def test_looking_never_asks_for_an_authorization() -> None:
    processor = Scripted(authorized=AUTHORIZED)
    assert await outcome(processor).seen(payment()) is None
    assert processor.asked == ["find"]


@pytest.mark.parametrize("voided", [intent(IntentStatus.CANCELLED), None])
async def test_a_failed_challenge_is_given_up_before_it_counts(voided: Intent | None) -> None:
    refused = intent(IntentStatus.REFUSED)
    processor = Scripted(retrieved=refused, voided=voided)
    known = payment(state=State.REQUIRES_ACTION, processor_id="pi_1")
    assert await outcome(processor)(known) == refused
    assert processor.asked == ["retrieve pi_1", f"void {known.payment_id}:void"]
