"""What the contracts offer to the outside: each method with a REST path, and its policy."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from google.api import annotations_pb2, http_pb2
from google.protobuf.descriptor import MethodDescriptor
from staymesh.accounts.v1 import accounts_pb2
from staymesh.booking.v1 import booking_pb2, listings_pb2
from staymesh.reviews.v1 import reviews_pb2
from staymesh.search.v1 import search_pb2

from mesh.rpc.policy import Caller, MethodPolicy, policies_of

# Which service answers for which contract file. A file that is not here is not at the edge.
FILES = {
    "accounts": (accounts_pb2,),
    "booking": (listings_pb2, booking_pb2),
    "reviews": (reviews_pb2,),
    "search": (search_pb2,),
}

_VARIABLE = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """One REST path of a method."""

    verb: str
    """GET, POST, PUT, PATCH or DELETE."""
    path: str
    """As in the contract: `/api/v1/listings/{listing_id}`."""
    body: str
    """The request field that the body is; `*` for the whole request, empty for no body."""

    @property
    def variables(self) -> list[str]:
        """Return the request fields that the path carries."""
        return _VARIABLE.findall(self.path)

    @property
    def pattern(self) -> str:
        """Return the path as an RE2 expression; empty when the path has no variable."""
        if not self.variables:
            return ""
        return "".join(
            "[^/]+" if i % 2 else re.escape(part)
            for i, part in enumerate(_VARIABLE.split(self.path))
        )


@dataclass(frozen=True, kw_only=True)
class Method:
    """A method that the outside can reach."""

    upstream: str
    """The service that answers: `booking`."""
    descriptor: MethodDescriptor
    policy: MethodPolicy

    @cached_property
    def bindings(self) -> list[Binding]:
        """Return its REST paths, the main one first."""
        rule = self.descriptor.GetOptions().Extensions[annotations_pb2.http]
        return [_binding(r) for r in [rule, *rule.additional_bindings]]


def public_methods() -> Iterator[Method]:
    """Yield every method that has a REST path, in the order of the contracts.

    Raise ValueError when a method for services alone has a REST path: nobody outside is a service.
    """
    for upstream, modules in FILES.items():
        for module in modules:
            for service in module.DESCRIPTOR.services_by_name.values():
                policies = policies_of(service.full_name)
                for descriptor in service.methods:
                    if not descriptor.GetOptions().HasExtension(annotations_pb2.http):
                        continue
                    policy = policies[descriptor.name]
                    if policy.caller is Caller.SERVICE:
                        raise ValueError(f"{descriptor.full_name}: for services, yet with a path")
                    yield Method(upstream=upstream, descriptor=descriptor, policy=policy)


def _binding(rule: http_pb2.HttpRule) -> Binding:
    verb = rule.WhichOneof("pattern")
    if verb is None or verb == "custom":
        raise ValueError(f"a REST path needs a verb: {rule}")
    return Binding(verb=verb.upper(), path=getattr(rule, verb), body=rule.body)
