"""Go-like concurrency for asyncio: one idea per file, exported here."""

from mesh.aio.context import (
    IdempotentCall,
    Principal,
    Priority,
    RequestContext,
    TraceContext,
    rc,
    remaining,
    require_user,
    set_context,
    use_context,
    within,
)

__all__ = [
    "IdempotentCall",
    "Principal",
    "Priority",
    "RequestContext",
    "TraceContext",
    "rc",
    "remaining",
    "require_user",
    "set_context",
    "use_context",
    "within",
]
