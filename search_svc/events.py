"""What search hears from the bus: records to domain, one flow for all of them."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

import structlog
from prometheus_client import Counter

from mesh.bus import Follower, Message, Place, PositionLost
from mesh.bus.topics import PARTITIONS
from mesh.errors import Invalid
from search_svc import convert
from search_svc.domain.heard import Heard
from search_svc.store.projection import TOPICS, Projection

_log = structlog.stdlib.get_logger(__name__)
Positions: TypeAlias = dict[Place, int | None]
_LOST = Counter("search_offsets_lost", "Times that Kafka no longer had where we were.")
_UNREADABLE = Counter("search_events_unreadable", "Records that nobody can make sense of.")


class Events:
    """Hands batches of records to a flow, in order."""

    def __init__(self, flow: Callable[[Sequence[Heard]], Awaitable[None]]) -> None:
        self._flow = flow

    async def apply(self, messages: Sequence[Message]) -> None:
        """Apply a batch."""
        await self._flow([_heard(message) for message in messages])


def _heard(message: Message) -> Heard:
    """Return a record. One that cannot be read is passed over: it never can be."""
    try:
        news = convert.news(message.payload)
    except Invalid as error:
        _UNREADABLE.inc()
        _log.error("unreadable event", message=message.place, error=repr(error))
        news = None
    return Heard(topic=message.topic, partition=message.partition, offset=message.offset, news=news)


def places(partitions: Iterable[int], offsets: Mapping[tuple[str, int], int]) -> Positions:
    """Return where to go on in both topics, from the beginning where nothing is noted."""
    return {
        Place(topic, partition): offsets.get((topic, partition))
        for topic in TOPICS
        for partition in partitions
    }


async def project_forever(follower: Follower, projection: Projection) -> None:
    """Follow every partition into the projection, from the offsets that lie beside it.

    When Kafka no longer has them (it was made anew, or we were away for longer than it keeps
    records), everything that it has is taken: versions leave out what is known.
    """
    while True:
        positions = places(range(PARTITIONS), await projection.offsets())
        try:
            await follower.run(positions)
        except PositionLost as error:
            _LOST.inc()
            _log.error("offsets lost, taking all there is", error=repr(error))
            await projection.begin_anew()
