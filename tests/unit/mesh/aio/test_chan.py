import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.aio import Chan, ChanClosed, ChanEmpty, Recv, Send, select, try_select, within
from mesh.errors import DeadlineExceeded

Settle = Callable[[], Awaitable[None]]


async def test_a_full_buffer_makes_the_sender_wait(settle: Settle) -> None:
    chan = Chan[int](2)
    await chan.send(1)
    await chan.send(2)
    third = asyncio.create_task(chan.send(3))
    await settle()
    assert not third.done()
    assert not chan.try_send(4)
    assert await chan.recv() == 1
    await third
    assert [await chan.recv(), await chan.recv()] == [2, 3]


async def test_unbuffered_values_change_hands_in_person(settle: Settle) -> None:
    chan = Chan[str]()
    assert not chan.try_send("nobody is there")
    sender = asyncio.create_task(chan.send("x"))
    await settle()
    assert not sender.done()
    assert len(chan) == 0
    assert await chan.recv() == "x"
    await sender


async def test_nothing_to_receive_now() -> None:
    with pytest.raises(ChanEmpty):
        Chan[int](1).try_recv()


async def test_a_closed_channel_gives_up_what_it_holds_and_then_ends() -> None:
    chan = Chan[int](3)
    for i in range(3):
        await chan.send(i)
    chan.close()
    chan.close()
    assert chan.closed
    with pytest.raises(ChanClosed):
        await chan.send(9)
    assert [i async for i in chan] == [0, 1, 2]
    with pytest.raises(ChanClosed):
        await chan.recv()


async def test_close_wakes_everybody_who_waits(settle: Settle) -> None:
    full, empty = Chan[int](), Chan[int]()
    sender, receiver = asyncio.create_task(full.send(1)), asyncio.create_task(empty.recv())
    await settle()
    full.close()
    empty.close()
    for task in (sender, receiver):
        with pytest.raises(ChanClosed):
            await task
    with pytest.raises(ChanClosed):
        full.try_recv()


async def test_waiting_ends_with_the_deadline() -> None:
    chan = Chan[int]()
    with pytest.raises(DeadlineExceeded):
        async with within(1):
            await chan.recv()
    with pytest.raises(DeadlineExceeded):
        async with within(1):
            await chan.send(1)
    assert not chan.receivers
    assert not chan.senders


async def test_a_value_handed_over_in_the_instant_of_the_cancel_is_not_lost(
    settle: Settle,
) -> None:
    chan = Chan[int]()
    receiver = asyncio.create_task(chan.recv())
    await settle()
    assert chan.try_send(1)
    receiver.cancel()
    await settle()
    assert receiver.cancelled()
    assert chan.try_recv() == 1


async def test_a_value_put_back_is_still_the_first(settle: Settle) -> None:
    chan = Chan[int](2)
    receiver = asyncio.create_task(chan.recv())
    await settle()
    chan.try_send(1)
    chan.try_send(2)
    receiver.cancel()
    await settle()
    assert [chan.try_recv(), chan.try_recv()] == [1, 2]


async def test_a_value_put_back_goes_to_the_next_in_line(settle: Settle) -> None:
    chan = Chan[int](1)
    first, second = asyncio.create_task(chan.recv()), asyncio.create_task(chan.recv())
    await settle()
    chan.try_send(1)
    first.cancel()
    assert await second == 1


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 3), st.integers(0, 10_000))
async def test_every_value_sent_is_received_once_in_order_whatever_is_cancelled(
    capacity: int, seed: int
) -> None:
    """Receivers are cancelled at random and replaced."""
    rng = random.Random(seed)
    chan = Chan[tuple[int, int]](capacity)
    got: list[tuple[int, int]] = []

    async def sender(name: int) -> None:
        for i in range(8):
            for _ in range(rng.randrange(3)):
                await asyncio.sleep(0)
            await chan.send((name, i))

    async def receiver() -> None:
        async for value in chan:
            got.append(value)
            for _ in range(rng.randrange(3)):
                await asyncio.sleep(0)

    async def main() -> None:
        senders = [asyncio.create_task(sender(name)) for name in range(3)]
        receivers = [asyncio.create_task(receiver()) for _ in range(2)]
        while not all(s.done() for s in senders):
            if rng.random() < 0.5:
                victim = rng.randrange(2)
                receivers[victim].cancel()
                receivers[victim] = asyncio.create_task(receiver())
            await asyncio.sleep(0)
        chan.close()
        await asyncio.gather(*receivers)

    await main()
    while len(chan):  # put back by a receiver cancelled after the last one had seen the end
        got.append(chan.try_recv())
    assert sorted(got) == [(name, i) for name in range(3) for i in range(8)]


async def test_select_takes_the_one_that_is_ready() -> None:
    a, b = Chan[str](1), Chan[str](1)
    await b.send("b")
    won = await select(Recv(a), Recv(b))
    assert (won.index, won.value, won.ok) == (1, "b", True)


async def test_select_waits_and_the_losers_take_nothing(settle: Settle) -> None:
    a, b, c = Chan[str](), Chan[str](), Chan[str]()
    task = asyncio.create_task(select(Recv(a), Recv(b), Send(c, "c")))
    await settle()
    await a.send("a")
    assert (await task).value == "a"
    assert not a.try_send("nobody")
    assert not b.try_send("nobody")
    with pytest.raises(ChanEmpty):
        c.try_recv()
    assert not a.receivers
    assert not b.receivers
    assert not c.senders


async def test_select_sends_when_somebody_takes(settle: Settle) -> None:
    a, b = Chan[str](), Chan[str]()
    task = asyncio.create_task(select(Recv(a), Send(b, "b")))
    await settle()
    assert await b.recv() == "b"
    assert (await task).index == 1


async def test_two_selects_meet(settle: Settle) -> None:
    a, b = Chan[str](), Chan[str]()
    one = asyncio.create_task(select(Send(a, "x"), Recv(b)))
    await settle()
    two = await select(Recv(a), Send(b, "y"))
    sent = await one
    assert (two.value, sent.index) in [("x", 0), (None, 1)]


async def test_a_select_does_not_meet_itself(settle: Settle) -> None:
    a = Chan[str]()
    task = asyncio.create_task(select(Send(a, "x"), Recv(a)))
    await settle()
    assert not task.done()
    await a.send("y")
    assert (await task).value == "y"


async def test_select_is_fair_among_the_ready() -> None:
    a, b = Chan[int](200), Chan[int](200)
    for i in range(200):
        await a.send(i)
        await b.send(i)
    wins = [(await select(Recv(a), Recv(b))).index for _ in range(200)]
    assert 40 < sum(wins) < 160


async def test_the_end_of_a_channel_is_a_ready_case(settle: Settle) -> None:
    a = Chan[int]()
    task = asyncio.create_task(select(Recv(a)))
    await settle()
    a.close()
    assert not (await task).ok
    assert not (await select(Recv(a))).ok
    with pytest.raises(ChanClosed):
        await select(Send(a, 1))


async def test_a_send_case_that_waits_fails_when_its_channel_closes(settle: Settle) -> None:
    a, b = Chan[int](), Chan[int]()
    task = asyncio.create_task(select(Send(a, 1), Recv(b)))
    await settle()
    a.close()
    with pytest.raises(ChanClosed):
        await task


async def test_a_cancelled_select_has_taken_nothing(settle: Settle) -> None:
    a, b = Chan[int](), Chan[int]()
    task = asyncio.create_task(select(Recv(a), Recv(b)))
    await settle()
    assert a.try_send(1)
    task.cancel()
    await settle()
    assert task.cancelled()
    assert a.try_recv() == 1


async def test_select_ends_with_the_deadline_and_refuses_to_wait_for_nothing() -> None:
    with pytest.raises(DeadlineExceeded):
        async with within(1):
            await select(Recv(Chan[int]()))
    assert try_select(Recv(Chan[int]())) is None
    with pytest.raises(ValueError, match="without cases"):
        await select()
