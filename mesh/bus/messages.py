"""What goes over the bus, out and in, free of the client library's types."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

KIND: str = "kind"
TRACEPARENT: str = "traceparent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbound:
    """A record to publish. `partition` None is the partition of the key, an id of ours."""

    topic: str
    key: str
    payload: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    timestamp_ms: int | None = None
    partition: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A record that came in. `timestamp_ms` is when the event was written, by its writer."""

    topic: str
    partition: int
    offset: int
    key: str
    payload: bytes
    headers: Mapping[str, str]
    timestamp_ms: int

    @property
    def kind(self) -> str:
        """Return what kind of event it is, as in `booking.confirmed`; empty when not said."""
        return self.headers.get(KIND, "")

    @property
    def place(self) -> str:
        """Return topic/partition/offset, its unique name."""
        return f"{self.topic}/{self.partition}/{self.offset}"

    @classmethod
    def of(cls, record: Any) -> Self:
        """Convert an aiokafka ConsumerRecord."""
        return cls(
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            key=(record.key or b"").decode("utf-8", "replace"),
            payload=record.value or b"",
            headers={
                name: (value or b"").decode("utf-8", "replace") for name, value in record.headers
            },
            timestamp_ms=record.timestamp,
        )
