"""Ask the availability shards which candidates are free, and for how much.

1. sort the candidates by the shard that holds them
2. ask all those shards at the same time, and wait for `soft_seconds` at most
3. who has not answered by then is missing, by name
"""

from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from mesh.aio import fan_out
from mesh.errors import Unavailable
from search_svc.domain.stay import Stay, StayPrice
from search_svc.flows.needs import AvailabilityShards

_log = structlog.stdlib.get_logger(__name__)


class AvailabilityUnavailable(Unavailable):
    """No shard answers, so nobody knows what is free."""

    reason = "AVAILABILITY_UNAVAILABLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The free listings with their prices, and the indexes of the shards that did not answer."""

    free: Mapping[str, StayPrice]
    missing: frozenset[int]


@dataclass(frozen=True, kw_only=True)
class AskShards:
    """One question to many."""

    shards: AvailabilityShards
    soft_seconds: float

    async def __call__(
        self, stay: Stay, listing_ids: Iterable[str], missing: frozenset[int]
    ) -> Answer:
        """Return who is free. `missing` shards have failed this search before: not asked again.

        Raise AvailabilityUnavailable when every shard is missing.
        """
        held: dict[int, list[str]] = {}
        for listing_id in listing_ids:
            held.setdefault(self.shards.holder(listing_id), []).append(listing_id)
        answers = await fan_out(
            {
                index: self._question(index, stay, ids)
                for index, ids in held.items()
                if index not in missing
            },
            soft=self.soft_seconds,
            need=0,
        )
        for index, error in answers.missing.items():
            _log.warning("a shard did not answer", shard=index, error=repr(error))
        absent = (missing & held.keys()) | answers.missing.keys()
        if len(absent) == self.shards.count:
            raise AvailabilityUnavailable("no availability shard answers")
        free = {key: price for found in answers.ok.values() for key, price in found.items()}
        return Answer(free=free, missing=frozenset(missing | absent))

    def _question(
        self, index: int, stay: Stay, listing_ids: Sequence[str]
    ) -> Callable[[], Coroutine[Any, Any, Mapping[str, StayPrice]]]:
        return partial(self.shards.check, index, stay, listing_ids)
