"""Wait on several channels and take exactly one, as Go's select.

Blocks: `select`, until one case can go on, within the request's deadline. Among cases that are
ready at once, one is drawn at random, so none starves. Cancels: nothing; losers take nothing, and
a cancelled select has taken nothing (see `Chan` for a send taken in the instant of the cancel).
Fails: ChanClosed when a send case meets a closed channel; DeadlineExceeded.
"""

import asyncio
import random
from dataclasses import dataclass
from typing import Any

from mesh.aio.chan import Chan, ChanClosed, ChanEmpty, Party, leave
from mesh.aio.context import within


@dataclass(frozen=True, slots=True)
class Recv:
    """A case that receives."""

    chan: Chan[Any]


@dataclass(frozen=True, slots=True)
class Send:
    """A case that sends `value`."""

    chan: Chan[Any]
    value: Any


@dataclass(frozen=True, slots=True)
class Selected:
    """Which case won, what it received, and False in `ok` when a receive met the closed end."""

    index: int
    value: Any = None
    ok: bool = True


async def select(*cases: Recv | Send) -> Selected:
    """Wait for one case to go on and do only that."""
    ready = try_select(*cases)
    if ready is not None:
        return ready
    if not cases:
        raise ValueError("a select without cases waits for ever")
    turn: asyncio.Future[tuple[int, Any, bool]] = asyncio.get_running_loop().create_future()
    parties = [_enqueue(case, turn, index) for index, case in enumerate(cases)]
    try:
        async with within():
            await turn
    except BaseException:
        if turn.done() and not turn.cancelled():
            _undo(cases, Selected(*turn.result()))
        raise
    finally:
        for case, party in zip(cases, parties, strict=True):
            leave(case.chan.receivers if isinstance(case, Recv) else case.chan.senders, party)
    won = Selected(*turn.result())
    if not won.ok and isinstance(cases[won.index], Send):
        raise ChanClosed
    return won


def try_select(*cases: Recv | Send) -> Selected | None:
    """Do one case that can go on now, or return None: a select with a default."""
    for index in random.sample(range(len(cases)), len(cases)):
        case = cases[index]
        if isinstance(case, Send):
            if case.chan.try_send(case.value):
                return Selected(index)
            continue
        try:
            return Selected(index, case.chan.try_recv())
        except ChanEmpty:
            continue
        except ChanClosed:
            return Selected(index, ok=False)
    return None


def _enqueue(case: Recv | Send, turn: "asyncio.Future[tuple[int, Any, bool]]", index: int) -> Party:
    if isinstance(case, Recv):
        party = Party(turn, index)
        case.chan.receivers.append(party)
    else:
        party = Party(turn, index, case.value)
        case.chan.senders.append(party)
    return party


def _undo(cases: tuple[Recv | Send, ...], won: Selected) -> None:
    case = cases[won.index]
    if won.ok and isinstance(case, Recv):
        case.chan.put_back(won.value)
