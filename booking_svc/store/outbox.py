"""Events for the relay, written in the transaction of their cause."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from booking_svc.convert.events import OutboundEvent
from mesh.aio import rc
from mesh.data.postgres import Transaction
from mesh.data.sql import load

_q: Final = load(Path(__file__).with_name("outbox.sql"))


def arguments(events: Sequence[OutboundEvent]) -> tuple[Any, ...]:
    """Return topics, keys, kinds, payloads, and headers: what a query that tells events ends with.

    The trace goes along, so that what an event sets off is seen as a part of the same story.
    """
    return (
        [event.topic for event in events],
        [event.key for event in events],
        [event.kind for event in events],
        [event.payload for event in events],
        {"traceparent": rc().trace.traceparent},
    )


async def publish(tx: Transaction, *events: OutboundEvent) -> None:
    """Leave events for the relay in a transaction under way."""
    await tx.execute(_q.publish, *arguments(events))
