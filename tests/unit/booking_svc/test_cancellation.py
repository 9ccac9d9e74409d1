"""What comes back, by policy and notice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking_svc.domain.cancellation import TIMELINES, CancellationPolicy, refund_minor

FLEXIBLE, MODERATE, STRICT = CancellationPolicy


@pytest.mark.parametrize(
    ("policy", "days_before", "refund"),
    [
        (FLEXIBLE, 1, 1001),
        (FLEXIBLE, 0, 0),
        (MODERATE, 5, 1001),
        (MODERATE, 4, 501),
        (MODERATE, 0, 501),
        (MODERATE, -1, 0),
        (STRICT, 14, 1001),
        (STRICT, 13, 501),
        (STRICT, 7, 501),
        (STRICT, 6, 0),
    ],
)
def test_each_policy_gives_back_what_it_says(
    policy: CancellationPolicy, days_before: int, refund: int
) -> None:
    assert refund_minor(policy, 1001, days_before) == refund


def test_every_policy_has_a_timeline_and_longer_notice_comes_first() -> None:
    assert set(TIMELINES) == set(CancellationPolicy)
    for steps in TIMELINES.values():
        assert list(steps) == sorted(steps, reverse=True)


@given(st.sampled_from(CancellationPolicy), st.integers(0, 10**12), st.integers(-30, 60))
def test_earlier_notice_never_gives_back_less(
    policy: CancellationPolicy, total: int, days_before: int
) -> None:
    refund = refund_minor(policy, total, days_before)
    assert 0 <= refund <= refund_minor(policy, total, days_before + 1) <= total
