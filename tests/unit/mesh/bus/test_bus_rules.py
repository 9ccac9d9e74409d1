"""What the bus decides without Kafka: partitions, conversion, how often a thing is said."""

import logging
from types import SimpleNamespace

import pytest

from mesh.bus import TOPICS, Message, partition_of
from mesh.bus.quiet import OncePerPeriod
from mesh.ids import InvalidId, new_id


@pytest.mark.parametrize(("bucket", "partition"), [(0, 0), (0xFF, 0), (0x100, 1), (0xFFF, 15)])
def test_a_partition_is_the_logical_shard(bucket: int, partition: int) -> None:
    assert partition_of(new_id("bkg", now_ms=0, bucket=bucket)) == partition


def test_a_key_that_is_no_id_has_no_partition() -> None:
    with pytest.raises(InvalidId):
        partition_of("Alice")


def test_every_topic_has_a_partition_for_every_shard() -> None:
    assert {topic.partitions for topic in TOPICS} == {16}
    assert len({topic.name for topic in TOPICS}) == len(TOPICS)


def test_a_record_without_key_value_or_headers_is_still_a_message() -> None:
    record = SimpleNamespace(
        topic="t", partition=1, offset=2, key=None, value=None, headers=(), timestamp=3
    )
    message = Message.of(record)
    assert (message.key, message.payload, message.kind, message.place) == ("", b"", "", "t/1/2")


def test_bytes_that_are_no_text_do_not_break_the_reader() -> None:
    record = SimpleNamespace(
        topic="t", partition=0, offset=0, key=b"\xff", value=b"", headers=(("k", b"\xfe"),),
        timestamp=0,
    )  # fmt: skip
    assert Message.of(record).headers == {"k": "\ufffd"}


def test_the_same_thing_is_said_once_in_a_period() -> None:
    def record(text: str) -> logging.LogRecord:
        return logging.LogRecord("aiokafka", logging.ERROR, "", 1, text, ("x",), None)

    once = OncePerPeriod(period_seconds=3600)
    assert [once.filter(record(text)) for text in ("a %s", "a %s", "b %s")] == [True, False, True]
    assert OncePerPeriod(period_seconds=0).filter(record("a %s"))
