"""Cancellation policies, as data: how much comes back, by days before check-in."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple


class CancellationPolicy(StrEnum):
    """The policies a host chooses from."""

    FLEXIBLE = "flexible"
    MODERATE = "moderate"
    STRICT = "strict"


class Step(NamedTuple):
    """With `days_before` local days of notice or more, `percent` of the total comes back."""

    days_before: int
    percent: int


TIMELINES: Final[Mapping[CancellationPolicy, tuple[Step, ...]]] = {
    CancellationPolicy.FLEXIBLE: (Step(1, 100),),
    CancellationPolicy.MODERATE: (Step(5, 100), Step(0, 50)),
    CancellationPolicy.STRICT: (Step(14, 100), Step(7, 50)),
}
"""Longest notice first; less notice than the last step gives nothing back."""


def refund_minor(policy: CancellationPolicy, total_minor: int, days_before: int) -> int:
    """Return what a guest gets back of `total_minor`; half a unit is rounded up, for the guest.

    `days_before` counts days of the listing's own calendar from the day of the cancellation to
    check-in; negative once the stay has begun.
    """
    for step in TIMELINES[policy]:
        if days_before >= step.days_before:
            return (total_minor * step.percent + 50) // 100
    return 0
