"""The policy of each method, read once from its descriptor.

A method without a policy is a mistake that must not reach the network, so reading the policies of
a service fails as a whole when one is missing or half-filled.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cache

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from staymesh.options.v1 import policy_pb2

from mesh.aio.context import Priority


class PolicyError(Exception):
    """A service cannot start: a method's policy is missing or makes no sense."""


class Caller(IntEnum):
    """Who may call a method; the numbers are those of the contract."""

    PUBLIC = policy_pb2.CALLER_PUBLIC
    USER = policy_pb2.CALLER_USER
    HOST = policy_pb2.CALLER_HOST
    ADMIN = policy_pb2.CALLER_ADMIN
    SERVICE = policy_pb2.CALLER_SERVICE


class Idempotency(IntEnum):
    """What the `idempotency-key` header means; the numbers are those of the contract."""

    NONE = policy_pb2.IDEMPOTENCY_NONE
    OPTIONAL = policy_pb2.IDEMPOTENCY_OPTIONAL
    REQUIRED = policy_pb2.IDEMPOTENCY_REQUIRED


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodPolicy:
    """What the contract says about one method."""

    method: str
    """As on the wire: `/staymesh.booking.v1.BookingService/CreateBooking`."""
    caller: Caller
    idempotency: Idempotency
    max_deadline_seconds: float
    retry_safe: bool
    priority: Priority


_PRIORITIES = {
    policy_pb2.PRIORITY_UNSPECIFIED: Priority.NORMAL,
    policy_pb2.PRIORITY_SHEDDABLE: Priority.SHEDDABLE,
    policy_pb2.PRIORITY_NORMAL: Priority.NORMAL,
    policy_pb2.PRIORITY_CRITICAL: Priority.CRITICAL,
}


def policies_of(service: str) -> Mapping[str, MethodPolicy]:
    """Return the policy of each method of `service` (its full name), by method name.

    Raise PolicyError when the service is unknown or one of its methods has no whole policy.
    """
    try:
        descriptor: ServiceDescriptor = descriptor_pool.Default().FindServiceByName(service)
    except KeyError:
        raise PolicyError(f"{service}: no such service; are its stubs imported?") from None
    return {method.name: _read(method) for method in descriptor.methods}


@cache
def policy_of(method: str) -> MethodPolicy | None:
    """Return the policy of a method by its wire path; None when it has none (a foreign service)."""
    service, _, name = method.removeprefix("/").rpartition("/")
    try:
        descriptor = descriptor_pool.Default().FindServiceByName(service)
        return _read(descriptor.methods_by_name[name])
    except (KeyError, PolicyError):
        return None


def _read(method: MethodDescriptor) -> MethodPolicy:
    name = method.full_name
    options = method.GetOptions()
    if not options.HasExtension(policy_pb2.policy):
        raise PolicyError(f"{name}: no policy")
    policy = options.Extensions[policy_pb2.policy]
    longest = policy.max_deadline.ToNanoseconds() / 1e9
    for field, given in (
        ("caller", policy.caller),
        ("rate_limit", policy.rate_limit),
        ("idempotency", policy.idempotency),
        ("max_deadline", longest > 0),
    ):
        if not given:
            raise PolicyError(f"{name}: its policy has no {field}")
    streams = method.client_streaming or method.server_streaming
    idempotency = Idempotency(policy.idempotency)
    if streams and idempotency is not Idempotency.NONE:
        raise PolicyError(f"{name}: a stream cannot be idempotent by key")
    return MethodPolicy(
        method=f"/{method.containing_service.full_name}/{method.name}",
        caller=Caller(policy.caller),
        idempotency=idempotency,
        max_deadline_seconds=longest,
        retry_safe=policy.retry_safe,
        priority=_PRIORITIES[policy.priority],
    )
