"""What travels beside a message: the names of the headers, and how a call's ids are read."""

import os
import random
import re
from contextvars import ContextVar

from mesh.aio.context import TraceContext

REQUEST_ID = "x-request-id"
TRACEPARENT = "traceparent"

# What arrived with the call of the running task. grpc.aio has read it before it looks for a
# handler; asking the servicer context would read it all over again.
arrived: ContextVar[tuple[tuple[str, str | bytes], ...]] = ContextVar("staymesh_arrived")

# As TraceContext.parse, without the parent's span, which a child does not need.
_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]([0-9a-f])(?:-.*)?"
)
_SAMPLED = "13579bdf"
_REQUEST_ID = re.compile(r"[0-9A-Za-z._:/+=-]{1,128}")


def request_id_of(given: str | None) -> str:
    """Return the caller's request id when it is fit for logs, a new one otherwise."""
    if given is not None and _REQUEST_ID.fullmatch(given):
        return given
    return os.urandom(16).hex()


def child_of(traceparent: str | None) -> TraceContext:
    """Return a new span below the caller's; of a new trace when the caller sent none."""
    parent = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    if parent is None:
        return TraceContext(os.urandom(16).hex(), new_span_id())
    return TraceContext(parent[1], new_span_id(), parent[2] in _SAMPLED)


def new_span_id() -> str:
    """Return a span id; it need not be secret, only rare."""
    return f"{random.getrandbits(64) or 1:016x}"
