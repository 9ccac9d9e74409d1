"""Policies are read whole or not at all."""

from collections.abc import Callable

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.duration_pb2 import Duration
from staymesh.booking.v1 import booking_pb2
from staymesh.options.v1 import policy_pb2

from mesh.aio.context import Priority
from mesh.rpc.policy import (
    Caller,
    Idempotency,
    MethodPolicy,
    PolicyError,
    _read,
    policies_of,
    policy_of,
)

WHOLE = {
    "caller": policy_pb2.CALLER_HOST,
    "rate_limit": policy_pb2.RATE_LIMIT_BOOKING,
    "idempotency": policy_pb2.IDEMPOTENCY_REQUIRED,
    "max_deadline": Duration(seconds=2, nanos=500_000_000),
    "retry_safe": True,
    "priority": policy_pb2.PRIORITY_CRITICAL,
}


@pytest.fixture
def read() -> Callable[..., MethodPolicy]:
    """Read the policy of a method made up for the test; None is a method without one."""

    def read(policy: policy_pb2.Policy | None, *, streams: bool = False) -> MethodPolicy:
        file = descriptor_pb2.FileDescriptorProto(name="made.proto", package="made")
        file.message_type.add(name="M")
        method = file.service.add(name="S").method.add(name="Go")
        method.input_type = method.output_type = ".made.M"
        method.server_streaming = streams
        if policy is not None:
            method.options.Extensions[policy_pb2.policy].CopyFrom(policy)
        pool = descriptor_pool.DescriptorPool()
        pool.Add(file)
        made = pool.FindServiceByName("made.S").methods_by_name["Go"]
        return _read(made)

    return read


def test_a_whole_policy_is_read(read: Callable[..., MethodPolicy]) -> None:
    assert read(policy_pb2.Policy(**WHOLE)) == MethodPolicy(
        method="/made.S/Go",
        caller=Caller.HOST,
        idempotency=Idempotency.REQUIRED,
        max_deadline_seconds=2.5,
        retry_safe=True,
        priority=Priority.CRITICAL,
    )


def test_a_method_without_a_policy_is_refused(read: Callable[..., MethodPolicy]) -> None:
    with pytest.raises(PolicyError, match=r"made\.S\.Go: no policy"):
        read(None)


@pytest.mark.parametrize("field", ["caller", "rate_limit", "idempotency", "max_deadline"])
def test_a_policy_with_a_hole_is_refused(read: Callable[..., MethodPolicy], field: str) -> None:
    policy = policy_pb2.Policy(**{k: v for k, v in WHOLE.items() if k != field})
    with pytest.raises(PolicyError, match=field):
        read(policy)


def test_a_stream_with_idempotency_keys_is_refused(read: Callable[..., MethodPolicy]) -> None:
    with pytest.raises(PolicyError, match="stream"):
        read(policy_pb2.Policy(**WHOLE), streams=True)


def test_an_unknown_service_is_refused() -> None:
    with pytest.raises(PolicyError, match="stubs"):
        policies_of("staymesh.nothing.v1.NothingService")


def test_a_policy_is_found_by_the_wire_path() -> None:
    service = booking_pb2.DESCRIPTOR.services_by_name["BookingService"].full_name
    assert policy_of(f"/{service}/CreateBooking") == policies_of(service)["CreateBooking"]
    assert policy_of("/grpc.health.v1.Health/Check") is None
