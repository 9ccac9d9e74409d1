"""How long things took: a rate, and the usual percentiles of the single ones."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Timings:
    """What a round of calls saw."""

    per_second: float
    p50_ms: float
    p99_ms: float
    partial: int = 0
    """How many answers lacked a part that was late, and so took another way."""

    @classmethod
    def of(cls, seconds: Sequence[float], whole_seconds: float) -> "Timings":
        """Sum up calls that took so many seconds each, and together `whole_seconds`."""
        ordered = sorted(seconds)
        return cls(
            per_second=len(ordered) / whole_seconds,
            p50_ms=_at(ordered, 0.50) * 1000,
            p99_ms=_at(ordered, 0.99) * 1000,
        )

    def to_json(self) -> dict[str, Any]:
        """Return what `Timings(**...)` takes."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.per_second:,.0f}/s, p50 {self.p50_ms:.1f}, p99 {self.p99_ms:.1f} ms"


def middle(rounds: Iterable[Timings]) -> Timings:
    """Return the median of each figure over the rounds, and every partial answer."""
    all_rounds = list(rounds)
    return Timings(
        per_second=median(one.per_second for one in all_rounds),
        p50_ms=median(one.p50_ms for one in all_rounds),
        p99_ms=median(one.p99_ms for one in all_rounds),
        partial=sum(one.partial for one in all_rounds),
    )


def _at(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
