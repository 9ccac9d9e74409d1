"""Three tries and a breaker around a processor."""

import pytest

from mesh.aio import Breaker, Retry
from mesh.errors import MeshError
from payments_svc.clients.patient import PatientProcessor
from payments_svc.clients.processor import IntentMoved, ProcessorBroken, ProcessorRefuses
from payments_svc.domain.intent import Intent, IntentStatus
from tests.unit.payments_svc.payments import intent
from tests.unit.payments_svc.test_outcome import Scripted

AT_ONCE = Retry(attempts=3, base_seconds=0.0)


class Failing(Scripted):
    """A processor that fails with each of `errors` in turn, and then answers."""

    def __init__(self, *errors: MeshError) -> None:
        super().__init__(retrieved=intent(IntentStatus.AUTHORIZED))
        self.errors = list(errors)

    async def retrieve(self, processor_id: str) -> Intent:
        answer = await super().retrieve(processor_id)
        if self.errors:
            raise self.errors.pop(0)
        return answer


async def test_a_failure_is_tried_again_and_the_answer_counts() -> None:
    processor = Failing(ProcessorBroken(), ProcessorBroken())
    told = await PatientProcessor(processor, AT_ONCE).retrieve("pi_1")
    assert told.status is IntentStatus.AUTHORIZED
    assert len(processor.asked) == 3


async def test_the_third_failure_is_the_last() -> None:
    processor = Failing(*[ProcessorBroken() for _ in range(9)])
    with pytest.raises(ProcessorBroken):
        await PatientProcessor(processor, AT_ONCE).retrieve("pi_1")
    assert len(processor.asked) == 3


@pytest.mark.parametrize("error", [IntentMoved(), ProcessorRefuses()])
async def test_what_another_try_cannot_mend_is_not_tried_again(error: MeshError) -> None:
    processor = Failing(error)
    with pytest.raises(type(error)):
        await PatientProcessor(processor, AT_ONCE).retrieve("pi_1")
    assert len(processor.asked) == 1


async def test_a_processor_that_keeps_failing_is_left_alone() -> None:
    processor = Failing(*[ProcessorBroken() for _ in range(9)])
    breaker = Breaker("processor", failures=3, open_seconds=60.0)
    patient = PatientProcessor(processor, AT_ONCE, breaker)
    with pytest.raises(ProcessorBroken):
        await patient.retrieve("pi_1")
    with pytest.raises(MeshError) as caught:
        await patient.retrieve("pi_1")
    assert caught.value.reason == "CIRCUIT_OPEN"
    assert len(processor.asked) == 3
