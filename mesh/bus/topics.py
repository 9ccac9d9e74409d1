"""The topics of the mesh, and which partition an aggregate's events go to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from mesh.errors import Unavailable
from mesh.ids import SHARDS, shard_of

PARTITIONS: Final = SHARDS
"""As many as logical shards, so that a partition holds exactly the events of one shard."""

_BROKERS_DEFAULT: Final = -1


class BusUnavailable(Unavailable):
    """Kafka cannot be reached."""

    reason = "BUS_UNAVAILABLE"


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic and its number of partitions."""

    name: str
    partitions: int = PARTITIONS


DEAD_LETTERS: Final = Topic("staymesh.dead-letters")
"""Messages no handler could take, each with the reason in its headers."""

TOPICS: Final = (
    Topic("staymesh.listings"),  # key: listing id
    Topic("staymesh.calendars"),  # key: listing id
    Topic("staymesh.bookings"),  # key: booking id
    Topic("staymesh.users"),  # key: user id
    Topic("staymesh.payments"),  # key: payment id
    DEAD_LETTERS,
)


def partition_of(key: str) -> int:
    """Return the partition of an aggregate's events: its logical shard. Raise InvalidId."""
    return shard_of(key)


async def ensure_topics(bootstrap: str, topics: Sequence[Topic] = TOPICS) -> list[str]:
    """Create the topics that are missing and return their names; raise BusUnavailable."""
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await client.start()
        known = set(await client.list_topics())
        missing = [t for t in topics if t.name not in known]
        if missing:
            answer = await client.create_topics(
                [NewTopic(t.name, t.partitions, _BROKERS_DEFAULT, {}) for t in missing]
            )
            for name, code, *_ in answer.topic_errors:
                error = for_code(code)
                if code and error is not TopicAlreadyExistsError:
                    raise BusUnavailable(f"cannot create topic {name}: {error.__name__}")
    except (KafkaError, OSError) as error:
        raise BusUnavailable(str(error)) from error
    finally:
        await client.close()
    return [t.name for t in missing]
