"""Ids that travel with a call: taken when fit, made otherwise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.aio.context import TraceContext
from mesh.errors import DeadlineExceeded
from mesh.rpc.deadline import SCRAP_SECONDS, SHAVED_SECONDS, limit_of, sendable
from mesh.rpc.headers import child_of, request_id_of

hexes = "0123456789abcdef"
parents = st.builds(
    "{}-{}-{}-{}{}".format,
    st.sampled_from(["00", "cc", "ff"]),
    st.just("0" * 32) | st.text(hexes, min_size=32, max_size=32),
    st.just("0" * 16) | st.text(hexes, min_size=16, max_size=16),
    st.text(hexes, min_size=2, max_size=2),
    st.sampled_from(["", "-more", " "]),
)


@given(parents | st.text())
def test_a_child_has_its_parents_trace_exactly_when_the_parent_can_be_read(given: str) -> None:
    parent = TraceContext.parse(given) if given == given.strip() else None
    child = child_of(given)
    again = TraceContext.parse(child.traceparent)
    assert again == child
    if parent is None:
        assert child.sampled is False
        assert child.trace_id not in given
    else:
        assert (child.trace_id, child.sampled) == (parent.trace_id, parent.sampled)
        assert child.span_id != parent.span_id


@pytest.mark.parametrize("given", ["r-1", "a" * 128, "01HQ/x.y:z_1+2=="])
def test_a_request_id_fit_for_logs_is_kept(given: str) -> None:
    assert request_id_of(given) is given


@pytest.mark.parametrize("given", [None, "", "a" * 129, 'a"b', "a b", "a\nb", "é"])
def test_any_other_request_id_is_replaced(given: str | None) -> None:
    made = request_id_of(given)
    assert made != given
    assert request_id_of(made) is made


@given(st.floats(0.0, 1000.0))
def test_a_sent_timeout_never_grows_and_loses_little(seconds: float) -> None:
    sent = sendable(seconds)
    assert sent <= seconds
    assert seconds - sent <= max(0.001, seconds * 0.0101) + 1e-9


@given(remaining=st.none() | st.floats(0.0, 100.0), longest=st.floats(0.01, 60.0))
def test_a_call_never_gets_more_than_caller_or_policy_give(
    remaining: float | None, longest: float
) -> None:
    if remaining is not None and remaining - SHAVED_SECONDS < SCRAP_SECONDS:
        with pytest.raises(DeadlineExceeded):
            limit_of(remaining, longest)
        return
    got = limit_of(remaining, longest)
    assert got <= longest
    assert remaining is None or got <= remaining - SHAVED_SECONDS
