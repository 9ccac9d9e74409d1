"""Hand each message to a handler at least once, in order per partition, and commit afterwards.

A handler that fails because a part is away (Unavailable, DeadlineExceeded, Exhausted) is called
again until it succeeds: the partition waits, nothing is lost. A handler that fails otherwise is
called a few times more; then the message goes to the dead-letter topic with the reason, and the
partition goes on. Handlers meet repeats (after a crash, a rebalance), so their effect carries an
inbox row (`mesh.data.inbox`) or is a repeatable one.
"""

import os
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from prometheus_client import Counter, Gauge

from mesh.aio import Group, RequestContext, TraceContext, use_context, within
from mesh.bus.backoff import Backoff
from mesh.bus.messages import TRACEPARENT, Message, Outbound
from mesh.bus.producer import Producer
from mesh.bus.quiet import RETRY_MS
from mesh.bus.topics import DEAD_LETTERS
from mesh.errors import Kind, MeshError

_log = structlog.stdlib.get_logger(__name__)

Handler = Callable[[Message], Awaitable[None]]
PASSING: Final = frozenset({Kind.UNAVAILABLE, Kind.DEADLINE, Kind.EXHAUSTED, Kind.CANCELLED})
"""Failures that speak against the moment, not against the message."""

_LAG: Final = Gauge("bus_consumer_lag_records", "Messages not yet handled.", ["consumer", "topic"])
_AGE: Final = Gauge(
    "bus_consumer_age_seconds", "Age of the oldest message being handled.", ["consumer"]
)
_HANDLED: Final = Counter(
    "bus_messages_total", "Messages by outcome.", ["consumer", "topic", "outcome"]
)
_POLL_MS: Final = 500


@dataclass(frozen=True, kw_only=True)
class ConsumerSettings:
    """What to consume, as whom, and how patiently."""

    bootstrap: str
    group: str
    topics: Sequence[str]
    handler_seconds: float = 30.0
    attempts: int = 5
    """Calls of a handler that finds fault with a message, before the message is dead."""
    batch: int = 200


class Consumer:
    """A member of a consumer group.

    Blocks: `run`, forever. Cancels: `run` stops where it is; what was not committed comes again.
    Fails: never for Kafka or a handler.
    """

    def __init__(self, settings: ConsumerSettings, handler: Handler, dead: Producer) -> None:
        self._settings = settings
        self._handler = handler
        self._dead = dead
        self._next: dict[Any, int] = {}
        self._in_hand: dict[str, int] = {}
        _AGE.labels(settings.group).set_function(self._age_seconds)

    async def run(self) -> None:
        """Consume until cancelled; wait for Kafka while it is away."""
        backoff = Backoff()
        while True:
            client = self._client()
            try:
                await client.start()
                backoff.reset()
                while True:
                    await self._poll(client)
            except (KafkaError, OSError) as error:
                _log.warning("consumer lost Kafka", group=self._settings.group, error=repr(error))
            finally:
                await client.stop()
            await backoff.pause()

    def _client(self) -> Any:
        return AIOKafkaConsumer(
            *self._settings.topics,
            bootstrap_servers=self._settings.bootstrap,
            group_id=self._settings.group,
            client_id=f"{self._settings.group}-{os.getpid()}",
            enable_auto_commit=False,
            retry_backoff_ms=RETRY_MS,
            auto_offset_reset="earliest",
            max_poll_records=self._settings.batch,
        )

    async def _poll(self, client: Any) -> None:
        batches = await client.getmany(timeout_ms=_POLL_MS)
        async with Group() as group:
            for records in batches.values():
                await group.go(self._in_order([Message.of(record) for record in records]))
        if batches:
            self._next |= {tp: records[-1].offset + 1 for tp, records in batches.items()}
            try:
                await client.commit({tp: self._next[tp] for tp in batches})
            except (CommitFailedError, IllegalStateError) as error:
                # The partition went to another member meanwhile; it will see these again.
                _log.info("not committed", group=self._settings.group, error=repr(error))
        self._measure(client)

    def _measure(self, client: Any) -> None:
        lag = dict.fromkeys(self._settings.topics, 0)
        for tp in client.assignment():
            end = client.highwater(tp)
            if end is not None:
                lag[tp.topic] += max(0, end - self._next.get(tp, end))
        for topic, records in lag.items():
            _LAG.labels(self._settings.group, topic).set(records)

    def _age_seconds(self) -> float:
        return time.time() - min(self._in_hand.values()) / 1000 if self._in_hand else 0.0

    async def _in_order(self, messages: Sequence[Message]) -> None:
        for message in messages:
            self._in_hand[message.place] = message.timestamp_ms
            try:
                await self._handle(message)
            finally:
                del self._in_hand[message.place]

    async def _handle(self, message: Message) -> None:
        backoff, faults = Backoff(), 0
        while True:
            try:
                await self._call(message)
            except Exception as error:
                passing = isinstance(error, MeshError) and error.kind in PASSING
                faults += not passing
                self._say(message, error, passing=passing)
                if faults >= self._settings.attempts:
                    await self._bury(message, error)
                    return
                await backoff.pause()
            else:
                self._count(message, "handled")
                return

    async def _call(self, message: Message) -> None:
        trace = TraceContext.parse(message.headers.get(TRACEPARENT, "")) or TraceContext()
        context = RequestContext(
            trace=replace(trace, span_id=os.urandom(8).hex()), request_id=message.place
        )
        with use_context(context):
            async with within(self._settings.handler_seconds):
                await self._handler(message)

    def _say(self, message: Message, error: Exception, *, passing: bool) -> None:
        self._count(message, "deferred" if passing else "failed")
        log = _log.warning if passing else _log.error
        log(
            "message not handled",
            group=self._settings.group,
            message=message.place,
            kind=message.kind,
            age_seconds=round(time.time() - message.timestamp_ms / 1000, 1),
            error=repr(error),
            exc_info=None if passing else error,
        )

    async def _bury(self, message: Message, error: Exception) -> None:
        letter = Outbound(
            topic=DEAD_LETTERS.name,
            key=message.key,
            payload=message.payload,
            headers={
                **message.headers,
                "dead-letter-reason": f"{type(error).__name__}: {error}"[:1000],
                "dead-letter-place": message.place,
                "dead-letter-group": self._settings.group,
            },
            partition=message.partition % DEAD_LETTERS.partitions,
        )
        backoff = Backoff()
        while (await self._dead.publish([letter]))[0] is not None:
            await backoff.pause()
        self._count(message, "dead")

    def _count(self, message: Message, outcome: str) -> None:
        _HANDLED.labels(self._settings.group, message.topic, outcome).inc()
