"""Kinds and gRPC codes: one table, both ways, nothing missing."""

import grpc
import pytest
from google.protobuf.any_pb2 import Any
from google.rpc import error_details_pb2, status_pb2
from hypothesis import given
from hypothesis import strategies as st

from mesh.errors import CLASS_OF, Conflict, Internal, Kind, MeshError, Unavailable
from mesh.rpc.status import (
    CODE_OF,
    DETAILS_KEY,
    KIND_OF,
    from_exception,
    from_rpc_error,
    from_status,
    to_status,
)

OURS_ALONE = {Kind.INTERNAL, Kind.DATA_LOSS}


LYING = status_pb2.Status(
    details=[Any(type_url="type.googleapis.com/google.rpc.ErrorInfo", value=b"\xff\xff")]
).SerializeToString()


def rpc_error(code: grpc.StatusCode, details: bytes | None = None) -> grpc.aio.AioRpcError:
    trailers = grpc.aio.Metadata(*([(DETAILS_KEY, details)] if details is not None else []))
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), trailers, "10.0.0.7:50051 refused")


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_is_one_code_and_comes_back_as_itself(kind: Kind) -> None:
    assert KIND_OF[CODE_OF[kind]] is kind
    assert from_status(to_status(CLASS_OF[kind]("text"))).kind is kind


def test_two_kinds_never_share_a_code() -> None:
    assert len(set(CODE_OF.values())) == len(Kind)


@pytest.mark.parametrize("code", set(grpc.StatusCode) - {grpc.StatusCode.OK})
def test_each_code_that_others_may_send_is_read(code: grpc.StatusCode) -> None:
    error = from_rpc_error(rpc_error(code))
    assert error.kind is KIND_OF[code]
    assert "10.0.0.7" not in str(error)


text = st.text(max_size=40).filter(lambda s: s.encode("utf-8", "ignore").decode() == s)


@given(
    kind=st.sampled_from(sorted(set(Kind) - OURS_ALONE)),
    message=text.filter(bool),
    reason=st.from_regex(r"[A-Z][A-Z_]{0,30}", fullmatch=True),
    metadata=st.dictionaries(text, text, max_size=3),
    violations=st.lists(st.tuples(text, text), max_size=3),
    retry_after=st.none() | st.integers(0, 10**6).map(lambda ms: ms / 1000),
)
def test_all_that_an_error_says_survives_the_wire(  # noqa: PLR0917  (hypothesis names them)
    kind: Kind,
    message: str,
    reason: str,
    metadata: dict[str, str],
    violations: list[tuple[str, str]],
    retry_after: float | None,
) -> None:
    sent = CLASS_OF[kind](
        message,
        reason=reason,
        metadata=metadata,
        violations=violations,
        retry_after_seconds=retry_after,
    )
    wire = to_status(sent).SerializeToString()
    got = from_rpc_error(rpc_error(CODE_OF[kind], wire))
    assert type(got) is CLASS_OF[kind]
    assert vars(got) == vars(sent)


@pytest.mark.parametrize("kind", sorted(OURS_ALONE))
def test_the_text_of_our_own_failures_stays_inside(kind: Kind) -> None:
    status = to_status(CLASS_OF[kind]("secret", metadata={"path": "secret"}))
    assert b"secret" not in status.SerializeToString()


def test_the_transports_code_outranks_what_the_details_claim() -> None:
    wire = to_status(Conflict("taken", reason="NIGHTS_TAKEN")).SerializeToString()
    got = from_rpc_error(rpc_error(grpc.StatusCode.UNAVAILABLE, wire))
    assert (got.kind, got.reason) == (Kind.UNAVAILABLE, "NIGHTS_TAKEN")


@pytest.mark.parametrize("details", [b"", b"\xff\xff", b"not a status", LYING])
def test_details_that_cannot_be_read_leave_the_code(details: bytes) -> None:
    assert from_rpc_error(rpc_error(grpc.StatusCode.ABORTED, details)).kind is Kind.CONFLICT


def test_the_details_of_a_stranger_are_not_believed() -> None:
    status = status_pb2.Status(code=10, message="secret host 10.0.0.7")
    info = error_details_pb2.ErrorInfo(reason="THEIRS", domain="example.com")
    status.details.add().Pack(info)
    got = from_status(status)
    assert (got.kind, got.reason) == (Kind.CONFLICT, "CONFLICT")
    assert "10.0.0.7" not in str(got)


def test_a_group_with_one_stranger_in_it_is_unexpected_as_a_whole() -> None:
    assert from_exception(ExceptionGroup("", [Conflict(), ValueError()])) is None
    assert from_exception(ValueError()) is None


def test_of_several_errors_the_gravest_speaks() -> None:
    internal = Internal("broken")
    errors: list[MeshError] = [Conflict(), internal, Unavailable()]
    assert from_exception(ExceptionGroup("", errors)) is internal
