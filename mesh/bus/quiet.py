"""Let aiokafka say each thing once in ten seconds.

While Kafka is away each client writes some fifty lines a second, all alike.
"""

import logging
import time
from typing import Final

_PERIOD_SECONDS: Final = 10.0
_SPEAKERS: Final = (
    "aiokafka",
    "aiokafka.conn",
    "aiokafka.cluster",
    "aiokafka.producer.sender",
    "aiokafka.consumer.fetcher",
    "aiokafka.consumer.group_coordinator",
)
RETRY_MS: Final = 250
"""The clients' pause between two tries; their own default is 100."""


class OncePerPeriod(logging.Filter):
    """Pass the first record of a message template in each period; drop the others."""

    def __init__(self, period_seconds: float = _PERIOD_SECONDS) -> None:
        super().__init__()
        self._period = period_seconds
        self._said: dict[object, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether the record is to be written."""
        now = time.monotonic()
        if now - self._said.get(record.msg, -self._period) < self._period:
            return False
        self._said[record.msg] = now
        return True


def quiet() -> None:
    """Put the filter on aiokafka's loggers, once per process."""
    for name in _SPEAKERS:
        logger = logging.getLogger(name)
        if not any(isinstance(f, OncePerPeriod) for f in logger.filters):
            logger.addFilter(OncePerPeriod())
