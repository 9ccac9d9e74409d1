"""Errors on the wire: the one table between our kinds and gRPC codes, and the details beside it.

An error leaves as a `google.rpc.Status` with `ErrorInfo` (reason, domain, metadata), `BadRequest`
for fields and `RetryInfo` for a hint, and arrives as the same `MeshError`, over any number of hops.
"""

from collections.abc import Iterable, Mapping

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError
from google.rpc import code_pb2, error_details_pb2, status_pb2

from mesh.errors import CLASS_OF, Internal, Kind, MeshError

DOMAIN = "staymesh"
DETAILS_KEY = "grpc-status-details-bin"

CODE_OF: Mapping[Kind, grpc.StatusCode] = {
    Kind.INVALID: grpc.StatusCode.INVALID_ARGUMENT,
    Kind.UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
    Kind.FORBIDDEN: grpc.StatusCode.PERMISSION_DENIED,
    Kind.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    Kind.CONFLICT: grpc.StatusCode.ABORTED,
    Kind.ALREADY_EXISTS: grpc.StatusCode.ALREADY_EXISTS,
    Kind.FAILED_PRECONDITION: grpc.StatusCode.FAILED_PRECONDITION,
    Kind.EXHAUSTED: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Kind.UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    Kind.DEADLINE: grpc.StatusCode.DEADLINE_EXCEEDED,
    Kind.CANCELLED: grpc.StatusCode.CANCELLED,
    Kind.UNIMPLEMENTED: grpc.StatusCode.UNIMPLEMENTED,
    Kind.INTERNAL: grpc.StatusCode.INTERNAL,
    Kind.DATA_LOSS: grpc.StatusCode.DATA_LOSS,
}

KIND_OF: Mapping[grpc.StatusCode, Kind] = {code: kind for kind, code in CODE_OF.items()} | {
    # Codes we never send; others may.
    grpc.StatusCode.UNKNOWN: Kind.INTERNAL,
    grpc.StatusCode.OUT_OF_RANGE: Kind.INVALID,
}

_OURS_ALONE = frozenset({Kind.INTERNAL, Kind.DATA_LOSS})
_TEXT_OF_OURS = "internal error"


def to_status(error: MeshError) -> status_pb2.Status:
    """Return the wire form of `error`; the text of an internal one stays behind."""
    info = error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN)
    status = status_pb2.Status(code=CODE_OF[error.kind].value[0], message=error.message)
    if error.kind in _OURS_ALONE:
        status.message = _TEXT_OF_OURS
    else:
        info.metadata.update(error.metadata)
    status.details.add().Pack(info)
    if error.violations:
        bad = error_details_pb2.BadRequest()
        for violation in error.violations:
            bad.field_violations.add(field=violation.field, description=violation.description)
        status.details.add().Pack(bad)
    if error.retry_after_seconds is not None:
        delay = Duration()
        delay.FromNanoseconds(round(error.retry_after_seconds * 1e9))
        status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=delay))
    return status


def from_status(status: status_pb2.Status) -> MeshError:
    """Return the error that `status` carries; one without our ErrorInfo is read by its code alone.

    The text of a foreign status is dropped: it may name addresses, and ours may be shown to people.
    Raise DecodeError when a detail is not what it says it is.
    """
    kind = KIND_OF.get(_CODE_BY_NUMBER.get(status.code, grpc.StatusCode.UNKNOWN), Kind.INTERNAL)
    info = error_details_pb2.ErrorInfo()
    bad = error_details_pb2.BadRequest()
    retry = error_details_pb2.RetryInfo()
    for detail in status.details:
        for message in (info, bad, retry):
            detail.Unpack(message)
    if info.domain != DOMAIN:
        return CLASS_OF[kind]()
    return CLASS_OF[kind](
        status.message,
        reason=info.reason,
        metadata=dict(info.metadata),
        violations=[(v.field, v.description) for v in bad.field_violations],
        retry_after_seconds=(
            retry.retry_delay.ToNanoseconds() / 1e9 if retry.HasField("retry_delay") else None
        ),
    )


def from_rpc_error(error: grpc.aio.AioRpcError) -> MeshError:
    """Return our error for what a call of grpc.aio raised."""
    for key, value in _pairs(error.trailing_metadata()):
        if key == DETAILS_KEY and isinstance(value, bytes):
            try:
                status = status_pb2.Status.FromString(value)
                # The code of the transport wins: details are only what the peer says about it.
                status.code = error.code().value[0]
                return from_status(status)
            except DecodeError:
                break
    return from_status(status_pb2.Status(code=error.code().value[0]))


def is_detailed(error: grpc.aio.AioRpcError) -> bool:
    """Return whether the peer's handlers had a say in `error`, rather than its transport alone."""
    return any(key == DETAILS_KEY for key, _ in _pairs(error.trailing_metadata()))


def from_exception(error: BaseException) -> MeshError | None:
    """Return the MeshError in `error`, looking into exception groups; None when it has none.

    Of several the gravest one speaks: an internal error is not hidden behind a sibling's conflict.
    A group that also holds an unexpected exception is unexpected as a whole.
    """
    if isinstance(error, MeshError):
        return error
    if not isinstance(error, BaseExceptionGroup):
        return None
    found = [from_exception(inner) for inner in error.exceptions]
    if any(one is None for one in found):
        return None
    return max((one for one in found if one is not None), key=_gravity)


def unexpected() -> MeshError:
    """Return what the outside learns about an exception that nobody foresaw: nothing."""
    return Internal(_TEXT_OF_OURS)


def _gravity(error: MeshError) -> int:
    return _GRAVITY.get(error.kind, 0)


_GRAVITY = {Kind.CANCELLED: -1, Kind.UNAVAILABLE: 1, Kind.DEADLINE: 1} | {
    Kind.INTERNAL: 2,
    Kind.DATA_LOSS: 3,
}
_CODE_BY_NUMBER = {code.value[0]: code for code in grpc.StatusCode}
assert set(_CODE_BY_NUMBER) == set(code_pb2.Code.values())


def _pairs(metadata: object) -> Iterable[tuple[str, str | bytes]]:
    return metadata if isinstance(metadata, Iterable) else ()
