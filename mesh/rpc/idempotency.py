"""One effect for one key: what the `idempotency-key` header asks for, and who remembers it.

The store is a Protocol; `mesh.data.idempotency` keeps it in the service's own database. A call's
row lives under its scope; a failed call gives the key back, so that it can be tried again.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from google.protobuf.message import Message

from mesh.errors import Conflict, Invalid, MeshError

HEADER = "idempotency-key"
REPLAYED_HEADER = "idempotency-replayed"
MAX_KEY_LENGTH = 255


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose key it is. The same key of another caller, or for another method, is another call."""

    caller: str
    """The user's id; `service:<name>` for a service of its own accord; `anonymous`."""
    method: str
    """As on the wire: `/staymesh.booking.v1.BookingService/CreateBooking`."""
    key: str


@dataclass(frozen=True, slots=True)
class Run:
    """Do the work: the key is ours for a lease's time."""

    attempt: int
    """How often the call has failed before under this key; fences `finish` and `fail`."""
    first_seen: datetime


@dataclass(frozen=True, slots=True)
class Replay:
    """The work was done; this is the answer it gave."""

    response: bytes


@dataclass(frozen=True, slots=True)
class InProgress:
    """Another call holds the key."""

    retry_after_seconds: float


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The key was used with another request."""


Begun = Run | Replay | InProgress | Mismatch


class IdempotencyStore(Protocol):
    """Remember calls by scope. Each method is one statement; none waits for another call."""

    async def begin(self, scope: Scope, fingerprint: bytes) -> Begun:
        """Take the key for a lease, or say why not. Raise Unavailable when nobody can tell."""
        ...

    async def finish(self, scope: Scope, attempt: int, response: bytes) -> None:
        """Keep the answer; do nothing when the lease has passed to a later attempt."""
        ...

    async def fail(self, scope: Scope, attempt: int) -> None:
        """Give the key back for a next attempt, unless it has passed to one already."""
        ...


class IdempotencyKeyRequired(Invalid):
    """The method takes no call without a key."""

    reason = "IDEMPOTENCY_KEY_REQUIRED"


class IdempotencyKeyInvalid(Invalid):
    """A key is 1 to 255 visible ASCII characters."""

    reason = "IDEMPOTENCY_KEY_INVALID"


class IdempotencyKeyReused(Conflict):
    """The key was used with another request body."""

    reason = "IDEMPOTENCY_KEY_REUSED"


class IdempotencyInProgress(Conflict):
    """A call with this key is still running."""

    reason = "IDEMPOTENCY_IN_PROGRESS"


def check_key(key: str) -> str:
    """Return `key`; raise IdempotencyKeyInvalid when it is not 1 to 255 visible ASCII."""
    if not 1 <= len(key) <= MAX_KEY_LENGTH or not all("!" <= char <= "~" for char in key):
        raise IdempotencyKeyInvalid(f"{HEADER} is 1 to {MAX_KEY_LENGTH} visible ASCII characters")
    return key


def fingerprint(request: Message) -> bytes:
    """Return the SHA-256 of the request in its canonical encoding (maps sorted)."""
    return hashlib.sha256(request.SerializeToString(deterministic=True)).digest()


def refusal(begun: InProgress | Mismatch) -> MeshError:
    """Return the error for a key that cannot be used now."""
    if isinstance(begun, Mismatch):
        return IdempotencyKeyReused("this idempotency key was used with another request")
    return IdempotencyInProgress(
        "a call with this idempotency key is still running",
        retry_after_seconds=begun.retry_after_seconds,
    )
