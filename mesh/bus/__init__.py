"""Events on Kafka: topics, the producer that keeps order, consumers that lose nothing.

Kafka being down delays events and nothing else: everything here waits for it, and says so in
metrics and logs.
"""

from mesh.bus.consumer import Consumer, ConsumerSettings
from mesh.bus.follower import Follower, Place, PositionLost
from mesh.bus.messages import Message, Outbound
from mesh.bus.producer import Producer
from mesh.bus.quiet import quiet
from mesh.bus.topics import DEAD_LETTERS, TOPICS, Topic, ensure_topics, partition_of

__all__ = [
    "DEAD_LETTERS",
    "TOPICS",
    "Consumer",
    "ConsumerSettings",
    "Follower",
    "Message",
    "Outbound",
    "Place",
    "PositionLost",
    "Producer",
    "Topic",
    "ensure_topics",
    "partition_of",
]

quiet()
