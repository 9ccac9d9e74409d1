"""Ask several at once and make do with those that answered.

Blocks: until all have answered; with `soft`, only until `soft` seconds have passed and `need`
have answered. Cancels: what is left then, and everything when the caller is cancelled; it returns
when the cancelled have ended, so no task outlives the call. Fails: with the first error as soon
as `need` answers cannot be had any more; a single failure is otherwise a row in `missing`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from mesh.aio.group import Group, asked_to_cancel
from mesh.errors import Cancelled, DeadlineExceeded

K = TypeVar("K")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Partial(Generic[K, T]):
    """The answers by key, and for every other key why it is missing; in the order asked."""

    ok: Mapping[K, T]
    missing: Mapping[K, Exception]

    @property
    def complete(self) -> bool:
        """Return whether everybody answered."""
        return not self.missing


async def fan_out(
    calls: Mapping[K, Callable[[], Awaitable[T]]],
    *,
    soft: float | None = None,
    need: int | None = None,
    limit: int | None = None,
) -> Partial[K, T]:
    """Run every call concurrently (at most `limit` at a time) and gather a Partial.

    `need` is how many answers are worth returning: 1 by default, 0 to never fail, `len(calls)`
    for all or nothing. Without `soft` everybody is waited for, up to the request's deadline.
    """
    need = min(1, len(calls)) if need is None else need
    if not 0 <= need <= len(calls):
        raise ValueError(f"{need} answers of {len(calls)} calls")
    gathering = _Gathering(calls, need)
    async with Group() as group:
        asking = await group.go(gathering.ask_all(limit))
        if soft is not None:
            await asyncio.wait((asking,), timeout=soft)
            if not asking.done():
                await gathering.enough.wait()
                group.cancel()
    return gathering.result()


class _Gathering(Generic[K, T]):
    def __init__(self, calls: Mapping[K, Callable[[], Awaitable[T]]], need: int) -> None:
        self._calls = calls
        self._need = need
        self._ok: dict[K, T] = {}
        self._failed: dict[K, Exception] = {}
        self.enough = asyncio.Event()
        if need == 0:
            self.enough.set()

    async def ask_all(self, limit: int | None) -> None:
        async with Group(limit) as group:
            for key, call in self._calls.items():
                await group.go(self._ask(key, call), name=f"fan_out {key!r}")

    async def _ask(self, key: K, call: Callable[[], Awaitable[T]]) -> None:
        try:
            self._ok[key] = await call()
        except asyncio.CancelledError as error:
            if asked_to_cancel():
                raise
            self._fail(key, Cancelled("the call was cancelled"), error)
        except Exception as error:
            self._fail(key, error, error)
        if len(self._ok) >= self._need:
            self.enough.set()

    def _fail(self, key: K, error: Exception, cause: BaseException) -> None:
        if error is not cause:
            error.__cause__ = cause
        self._failed[key] = error
        if len(self._calls) - len(self._failed) < self._need:
            raise next(iter(self._failed.values()))

    def result(self) -> Partial[K, T]:
        missing: dict[K, Exception] = {}
        for key in self._calls:
            if key in self._failed:
                missing[key] = self._failed[key]
            elif key not in self._ok:
                missing[key] = DeadlineExceeded("it did not answer in time")
        return Partial({k: self._ok[k] for k in self._calls if k in self._ok}, missing)
