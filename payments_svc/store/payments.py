"""Payments, in the shard of their booking."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from mesh.aio import rc
from mesh.data.postgres import Record, Shards, Transaction
from mesh.data.sql import load
from payments_svc.convert import event
from payments_svc.domain.money import Money
from payments_svc.domain.payment import Ask, Payment, PaymentChanged, State, event_of

_q: Final = load(Path(__file__).with_name("payments.sql"))

Decide = Callable[[Payment | None], Payment]
"""What a payment becomes, from what it is now; the same object changes nothing."""


class Payments:
    """The payments of all shards."""

    def __init__(self, shards: Shards) -> None:
        self._shards = shards

    async def get_to_decide(self, booking_id: str) -> Payment | None:
        """Return a booking's payment as the primary knows it."""
        rows = await self._shards.write(
            self._shards.of(booking_id), _q.get_payment, booking_id, idempotent=True
        )
        return _payment_of(rows[0]) if rows else None

    async def change(self, booking_id: str, decide: Decide) -> Payment:
        """Make of a booking's payment what `decide` says, and tell; return it.

        `decide` is pure and may be asked more than once. What it raises changes nothing.
        """

        async def body(tx: Transaction) -> Payment:
            row = await tx.fetchrow(_q.lock_payment, booking_id)
            before = None if row is None else _payment_of(row)
            after = decide(before)
            if after is not before:
                await tx.execute(_q.put_payment, *_row_of(after), *_told(event_of(before, after)))
            return after

        return await self._shards.transact(self._shards.of(booking_id), body)

    async def claim_due(self, now: datetime, limit: int, pause: timedelta) -> list[Payment]:
        """Take payments that were left half-done, up to `limit` of each shard.

        Nobody else gets them before `pause` has passed, which doubles with each try.
        """
        waiting = await self._shards.each(_q.due_payments, now, limit)
        claimed: list[Record] = []
        for shard in sorted({self._shards.of(row["booking_id"]) for row in waiting}):
            claimed += await self._shards.write(shard, _q.claim_due, now, limit, pause)
        return [_payment_of(row) for row in claimed]


def _row_of(payment: Payment) -> tuple[Any, ...]:
    return (
        payment.booking_id,
        payment.payment_id,
        payment.ask.guest_id,
        payment.ask.payment_method_id,
        payment.ask.amount.currency,
        payment.ask.amount.amount_minor,
        payment.state.value,
        payment.processor_key,
        payment.processor_id,
        payment.decline_code,
        payment.captured_minor,
        payment.refunded_minor,
        payment.retain_minor,
        payment.asked_at,
        payment.updated_at,
        payment.due_at,
        payment.attempts,
        payment.version,
    )


def _told(changed: PaymentChanged | None) -> tuple[Any, ...]:
    if changed is None:
        return (None, None, None, {})
    told = event(changed)
    return (told.topic, told.kind, told.payload, {"traceparent": rc().trace.traceparent})


def _payment_of(row: Record) -> Payment:
    return Payment(
        payment_id=row["payment_id"],
        ask=Ask(
            booking_id=row["booking_id"],
            guest_id=row["guest_id"],
            amount=Money(row["amount_minor"], row["currency"]),
            payment_method_id=row["payment_method_id"],
        ),
        state=State(row["state"]),
        asked_at=row["asked_at"],
        updated_at=row["updated_at"],
        processor_id=row["processor_id"],
        decline_code=row["decline_code"],
        captured_minor=row["captured_minor"],
        refunded_minor=row["refunded_minor"],
        retain_minor=row["retain_minor"],
        due_at=row["due_at"],
        attempts=row["attempts"],
        version=row["version"],
    )
