"""The one error vocabulary of the project, free of any transport.

A service subclasses one of the kinds below, beside the code that raises it, and gives it a
``reason``. `mesh.rpc` turns kinds into gRPC statuses and back; nobody else knows statuses.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """What a caller can do about an error; each kind is one row of `mesh.rpc.status`."""

    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    ALREADY_EXISTS = "already_exists"
    FAILED_PRECONDITION = "failed_precondition"
    EXHAUSTED = "exhausted"
    UNAVAILABLE = "unavailable"
    DEADLINE = "deadline"
    CANCELLED = "cancelled"
    UNIMPLEMENTED = "unimplemented"
    INTERNAL = "internal"
    DATA_LOSS = "data_loss"


class Violation(NamedTuple):
    """One field of the input that breaks a rule; `field` is the proto path, as in `stay.guests`."""

    field: str
    description: str


class MeshError(Exception):
    """An error that may leave the process: its text and metadata are for the caller to read.

    `reason` is UPPER_SNAKE and stable; clients branch on it. `metadata` holds short facts
    (ids, limits), never secrets. `retry_after_seconds`, when known, is a hint for the caller.
    """

    kind: Kind = Kind.INTERNAL
    reason: str = "INTERNAL"

    def __init__(
        self,
        message: str = "",
        *,
        reason: str | None = None,
        metadata: Mapping[str, str] | None = None,
        violations: Iterable[tuple[str, str]] = (),
        retry_after_seconds: float | None = None,
    ) -> None:
        if reason is not None:
            self.reason = reason
        self.message = message or self.reason.replace("_", " ").lower()
        self.metadata: dict[str, str] = dict(metadata or {})
        self.violations: tuple[Violation, ...] = tuple(Violation(*v) for v in violations)
        self.retry_after_seconds = retry_after_seconds
        super().__init__(self.message)


class Invalid(MeshError):
    """The request itself is wrong, whatever the state of the world; name fields in violations."""

    kind = Kind.INVALID
    reason = "INVALID"


class Unauthenticated(MeshError):
    """Who is calling is not known: no credentials, or bad or expired ones."""

    kind = Kind.UNAUTHENTICATED
    reason = "UNAUTHENTICATED"


class Forbidden(MeshError):
    """The caller is known and may not do this."""

    kind = Kind.FORBIDDEN
    reason = "FORBIDDEN"


class NotFound(MeshError):
    """The thing does not exist, or the caller may not learn that it does."""

    kind = Kind.NOT_FOUND
    reason = "NOT_FOUND"


class Conflict(MeshError):
    """Somebody else was first, or the state moved; read again and decide again."""

    kind = Kind.CONFLICT
    reason = "CONFLICT"


class AlreadyExists(MeshError):
    """What was to be created is there already."""

    kind = Kind.ALREADY_EXISTS
    reason = "ALREADY_EXISTS"


class FailedPrecondition(MeshError):
    """The state of the world forbids it until somebody changes that state."""

    kind = Kind.FAILED_PRECONDITION
    reason = "FAILED_PRECONDITION"


class Exhausted(MeshError):
    """A rate, quota or concurrency limit is used up; slow down before trying again."""

    kind = Kind.EXHAUSTED
    reason = "EXHAUSTED"


class Unavailable(MeshError):
    """A part that is needed cannot be reached now; a retry with backoff may succeed."""

    kind = Kind.UNAVAILABLE
    reason = "UNAVAILABLE"


class DeadlineExceeded(MeshError):
    """The time given ran out; whether the work was done is not known."""

    kind = Kind.DEADLINE
    reason = "DEADLINE_EXCEEDED"


class Cancelled(MeshError):
    """The other side was cancelled. A cancel of our own task is `asyncio.CancelledError`."""

    kind = Kind.CANCELLED
    reason = "CANCELLED"


class Unimplemented(MeshError):
    """The method is not served here."""

    kind = Kind.UNIMPLEMENTED
    reason = "UNIMPLEMENTED"


class Internal(MeshError):
    """A bug or a broken invariant of ours; its text stays inside the process."""

    kind = Kind.INTERNAL
    reason = "INTERNAL"


class DataLoss(MeshError):
    """Stored data is lost or corrupt and no retry will help."""

    kind = Kind.DATA_LOSS
    reason = "DATA_LOSS"


CLASS_OF: Mapping[Kind, type[MeshError]] = {
    cls.kind: cls
    for cls in (
        Invalid,
        Unauthenticated,
        Forbidden,
        NotFound,
        Conflict,
        AlreadyExists,
        FailedPrecondition,
        Exhausted,
        Unavailable,
        DeadlineExceeded,
        Cancelled,
        Unimplemented,
        Internal,
        DataLoss,
    )
}
"""The class of each kind, for whoever rebuilds an error that came over the wire."""
