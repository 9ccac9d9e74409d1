"""Go-like concurrency for asyncio: one idea per file, each with what blocks, cancels and fails."""

from mesh.aio.breaker import Breaker, BreakerState
from mesh.aio.bucket import TokenBucket
from mesh.aio.chan import Chan, ChanClosed, ChanEmpty
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
from mesh.aio.drain import Drain, loop_drain
from mesh.aio.fanout import Partial, fan_out
from mesh.aio.finish import finish
from mesh.aio.group import Group
from mesh.aio.hedge import HedgeBudget, hedge
from mesh.aio.keyed import Keyed
from mesh.aio.retry import Retry, RetryBudget
from mesh.aio.select import Recv, Selected, Send, select, try_select
from mesh.aio.semaphore import Semaphore
from mesh.aio.singleflight import SingleFlight

__all__ = [
    "Breaker",
    "BreakerState",
    "Chan",
    "ChanClosed",
    "ChanEmpty",
    "Drain",
    "Group",
    "HedgeBudget",
    "IdempotentCall",
    "Keyed",
    "Partial",
    "Principal",
    "Priority",
    "Recv",
    "RequestContext",
    "Retry",
    "RetryBudget",
    "Selected",
    "Semaphore",
    "Send",
    "SingleFlight",
    "TokenBucket",
    "TraceContext",
    "fan_out",
    "finish",
    "hedge",
    "loop_drain",
    "rc",
    "remaining",
    "require_user",
    "select",
    "set_context",
    "try_select",
    "use_context",
    "within",
]
