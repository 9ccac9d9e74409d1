"""What travels beside a message: the names of the headers, and how a call's ids are read."""

import os
import re

from mesh.aio.context import TraceContext

REQUEST_ID = "x-request-id"
TRACEPARENT = "traceparent"

_REQUEST_ID = re.compile(r"[0-9A-Za-z._:/+=-]{1,128}")


def request_id_of(given: str | None) -> str:
    """Return the caller's request id when it is fit for logs, a new one otherwise."""
    if given is not None and _REQUEST_ID.fullmatch(given):
        return given
    return os.urandom(16).hex()


def child_of(traceparent: str | None) -> TraceContext:
    """Return a new span below the caller's; of a new trace when the caller sent none."""
    parent = TraceContext.parse(traceparent) if traceparent else None
    if parent is None:
        return TraceContext(os.urandom(16).hex(), os.urandom(8).hex())
    return TraceContext(parent.trace_id, os.urandom(8).hex(), parent.sampled)
