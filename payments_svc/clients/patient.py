"""A processor that is asked again when it fails, and left alone when it keeps failing."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import structlog
from prometheus_client import Counter, Gauge

from mesh.aio import Breaker, BreakerState, Retry
from mesh.errors import MeshError
from payments_svc.clients.processor import Authorization, Processor
from payments_svc.domain.intent import Intent
from payments_svc.domain.money import Money

_log = structlog.stdlib.get_logger(__name__)
T = TypeVar("T")

_ERRORS: Final = Counter("payment_processor_errors_total", "Calls that failed.", ["call", "reason"])
_OPEN: Final = Gauge("payment_processor_breaker_open", "1 while the processor is left alone.")

RETRY: Final = Retry(attempts=3, base_seconds=0.5, cap_seconds=4.0)
"""Three tries in all, as far as the caller's deadline allows."""


class PatientProcessor:
    """Another processor, behind three tries and a breaker. Every step is safe to repeat."""

    def __init__(
        self, processor: Processor, retry: Retry = RETRY, breaker: Breaker | None = None
    ) -> None:
        self._inner = processor
        self._retry = retry
        self._breaker = breaker or Breaker(
            "processor", failures=20, open_seconds=5.0, successes=2, on_change=_changed
        )

    def check_chargeable(self, amount: Money) -> None:
        """Raise NotChargeable for an amount that can only be refused."""
        self._inner.check_chargeable(amount)

    async def authorize(self, request: Authorization) -> Intent:
        """Put a hold on a card."""
        return await self._run("authorize", lambda: self._inner.authorize(request))

    async def retrieve(self, processor_id: str) -> Intent:
        """Return an intent as it is now."""
        return await self._run("retrieve", lambda: self._inner.retrieve(processor_id))

    async def find(self, booking_id: str) -> Intent | None:
        """Return the intent of a booking."""
        return await self._run("find", lambda: self._inner.find(booking_id))

    async def void(self, processor_id: str, *, key: str) -> Intent:
        """Give up an intent."""
        return await self._run("void", lambda: self._inner.void(processor_id, key=key))

    async def capture(self, processor_id: str, amount: Money, *, key: str) -> Intent:
        """Take a part of a hold, or all."""
        return await self._run(
            "capture", lambda: self._inner.capture(processor_id, amount, key=key)
        )

    async def refund(self, processor_id: str, amount: Money, *, key: str) -> Intent:
        """Give back of what was captured."""
        return await self._run("refund", lambda: self._inner.refund(processor_id, amount, key=key))

    async def _run(self, call: str, work: Callable[[], Awaitable[T]]) -> T:
        async def counted() -> T:
            try:
                return await work()
            except MeshError as error:
                _ERRORS.labels(call, error.reason).inc()
                raise

        return await self._retry.run(lambda: self._breaker.run(counted))


def _changed(name: str, state: BreakerState) -> None:
    _OPEN.set(float(state is BreakerState.OPEN))
    _log.warning("breaker", peer=name, state=state.value)
