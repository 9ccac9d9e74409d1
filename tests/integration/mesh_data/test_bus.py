"""The bus: at least once, in order, the dead buried with their reason, and Kafka may be away."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from prometheus_client import REGISTRY

from mesh.aio import rc, remaining, within
from mesh.bus import (
    DEAD_LETTERS,
    Consumer,
    ConsumerSettings,
    Follower,
    Message,
    Outbound,
    Place,
    PositionLost,
    Producer,
    ensure_topics,
    partition_of,
)
from mesh.errors import Invalid, Unavailable
from mesh.ids import new_id

KEY = new_id("bkg", now_ms=0, bucket=0x100)


@asynccontextmanager
async def running(run: Awaitable[None]) -> AsyncIterator[None]:
    task = asyncio.ensure_future(run)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


class Box:
    """Collects what a handler gets, and lets a test wait for a number of it."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._grown = asyncio.Condition()

    async def put(self, *messages: Message) -> None:
        async with self._grown:
            self.messages += messages
            self._grown.notify_all()

    async def has(self, count: int) -> list[Message]:
        async with within(20), self._grown:
            await self._grown.wait_for(lambda: len(self.messages) >= count)
        return self.messages

    @property
    def payloads(self) -> list[bytes]:
        return [message.payload for message in self.messages]


def outbound(topic: str, *payloads: bytes, key: str = KEY) -> list[Outbound]:
    return [Outbound(topic=topic, key=key, payload=p, headers={"kind": "k"}) for p in payloads]


async def publish(producer: Producer, topic: str, *payloads: bytes, key: str = KEY) -> None:
    assert await producer.publish(outbound(topic, *payloads, key=key)) == [None] * len(payloads)


def consumer(
    bootstrap: str, topic: str, handler: Callable[[Message], Awaitable[None]], dead: Producer
) -> Consumer:
    settings = ConsumerSettings(bootstrap=bootstrap, group=f"g-{topic}", topics=[topic], attempts=2)
    return Consumer(settings, handler, dead)


async def test_topics_are_made_once(kafka_bootstrap: str) -> None:
    await ensure_topics(kafka_bootstrap)
    assert await ensure_topics(kafka_bootstrap) == []


async def test_messages_come_in_order_and_go_on_where_the_last_consumer_committed(
    kafka_bootstrap: str, topic: str, producer: Producer
) -> None:
    await publish(producer, topic, b"1", b"2")
    first, second = Box(), Box()
    one = consumer(kafka_bootstrap, topic, first.put, producer)
    async with running(one.run()):
        await first.has(2)
        await publish(producer, topic, b"3")
        await first.has(3)
    assert first.payloads == [b"1", b"2", b"3"]
    two = consumer(kafka_bootstrap, topic, second.put, producer)
    async with running(two.run()):
        await publish(producer, topic, b"4")
        await second.has(1)
        # What was handled and perhaps not committed may come again, never less.
        await second.has(1 + second.payloads.index(b"4") if b"4" in second.payloads else 2)
    assert second.payloads[-1] == b"4"


async def test_a_handler_sees_the_trace_and_has_a_deadline(
    kafka_bootstrap: str, topic: str, producer: Producer
) -> None:
    seen: asyncio.Future[tuple[str, str, float | None]] = asyncio.get_running_loop().create_future()

    async def handler(message: Message) -> None:
        seen.set_result((rc().trace.trace_id, rc().request_id, remaining()))

    traceparent = f"00-{'ab' * 16}-{'cd' * 8}-01"
    record = Outbound(topic=topic, key=KEY, payload=b"", headers={"traceparent": traceparent})
    assert await producer.publish([record]) == [None]
    async with running(consumer(kafka_bootstrap, topic, handler, producer).run()), within(20):
        trace_id, request_id, left = await seen
    assert (trace_id, request_id) == ("ab" * 16, f"{topic}/1/0")
    assert left is not None
    assert 0 < left <= 30


async def test_a_message_waits_while_a_part_is_away(
    kafka_bootstrap: str, topic: str, producer: Producer
) -> None:
    box, tries = Box(), 0

    async def handler(message: Message) -> None:
        nonlocal tries
        tries += 1
        if tries <= 4:  # more often than a faulty message is tried
            raise Unavailable
        await box.put(message)

    await publish(producer, topic, b"1", b"2")
    async with running(consumer(kafka_bootstrap, topic, handler, producer).run()):
        await box.has(2)
    assert box.payloads == [b"1", b"2"]


async def test_a_poisonous_message_is_buried_with_its_reason_and_the_next_is_handled(
    kafka_bootstrap: str, topic: str, producer: Producer
) -> None:
    await ensure_topics(kafka_bootstrap)
    box, graves = Box(), Box()

    async def handler(message: Message) -> None:
        if message.payload == b"poison":
            raise Invalid("not an event")
        await box.put(message)

    await publish(producer, topic, b"poison", b"2")
    async with running(consumer(kafka_bootstrap, topic, handler, producer).run()):
        await box.has(1)
    assert box.payloads == [b"2"]
    place = Place(DEAD_LETTERS.name, partition_of(KEY))
    follower = Follower(kafka_bootstrap, "graves", lambda found: graves.put(*found))
    async with running(follower.run({place: None})):
        await graves.has(1)
    (letter,) = [m for m in graves.messages if m.headers["dead-letter-place"] == f"{topic}/1/0"]
    assert letter.payload == b"poison"
    assert letter.headers["dead-letter-reason"] == "Invalid: not an event"
    assert letter.headers["dead-letter-group"] == f"g-{topic}"
    dead = {"consumer": f"g-{topic}", "topic": topic, "outcome": "dead"}
    assert REGISTRY.get_sample_value("bus_messages_total", dead) == 1


async def test_a_follower_goes_on_from_its_own_offset(
    kafka_bootstrap: str, topic: str, producer: Producer
) -> None:
    await publish(producer, topic, b"1", b"2", b"3")
    box = Box()
    follower = Follower(kafka_bootstrap, "f", lambda found: box.put(*found))
    async with running(follower.run({Place(topic, 1): 1, Place(topic, 2): None})):
        async with within(20):
            await follower.caught_up()
        assert box.payloads == [b"2", b"3"]
        assert follower.lag_records == 0
        assert follower.lag_seconds == 0
        await publish(producer, topic, b"4")
        await box.has(3)
    assert follower.positions == {Place(topic, 1): 4, Place(topic, 2): 0}


async def test_a_follower_applies_the_same_messages_again_after_a_failure(
    kafka_bootstrap: str, topic: str, producer: Producer
) -> None:
    await publish(producer, topic, b"1", b"2")
    box, tries = Box(), 0

    async def apply(messages: object) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise ValueError
        assert isinstance(messages, list)
        await box.put(*messages)

    async with running(Follower(kafka_bootstrap, "f", apply).run({Place(topic, 1): 0})):
        await box.has(2)
    assert (box.payloads, tries) == ([b"1", b"2"], 2)


async def test_a_follower_whose_offset_is_gone_says_so(
    kafka_bootstrap: str, topic: str, producer: Producer
) -> None:
    await publish(producer, topic, b"1")
    follower = Follower(kafka_bootstrap, "f", lambda found: Box().put(*found))
    with pytest.raises(PositionLost):
        async with within(20):
            await follower.run({Place(topic, 1): 1000})


async def test_all_wait_while_kafka_is_away() -> None:
    nowhere = "127.0.0.1:1"
    async with Producer(nowhere) as away:
        workers = [
            away.publish(outbound("t", b"1")),
            consumer(nowhere, "t", Box().put, away).run(),
            Follower(nowhere, "f", lambda found: Box().put(*found)).run({Place("t", 0): 0}),
        ]
        tasks = [asyncio.ensure_future(worker) for worker in workers]
        done, waiting = await asyncio.wait(tasks, timeout=1)
        assert not done
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)


async def test_publishers_sharing_a_session_that_breaks_are_all_told(
    kafka_bootstrap: str, topic: str
) -> None:
    async with Producer(kafka_bootstrap) as producer:
        unknown = outbound("no-such-topic", b"1")
        # An unknown topic takes the client its whole request timeout to find out.
        async with within(30):
            outcomes = await asyncio.gather(
                producer.publish(unknown), producer.publish(outbound(topic, b"1"))
            )
        assert outcomes[0][0] is not None
        assert outcomes[1] == [None]
        await publish(producer, topic, b"2")
