"""Trouble on demand, so that tests can prove what a caller does about it.

A fault names a call, as in "POST /v1/payment_intents/*/cancel", and strikes `times` times.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any


class Trouble(StrEnum):
    """What goes wrong."""

    ERROR_BEFORE = "error_before"
    """HTTP 500, nothing done, the idempotency key unused."""
    ERROR_AFTER = "error_after"
    """HTTP 500 although it was done: the same key gets the true answer the next time."""
    ERROR_KEPT = "error_kept"
    """HTTP 500 although it was done, and kept: Stripe answers it to the same key for ever."""
    RATE_LIMIT = "rate_limit"
    """HTTP 429, nothing done."""
    DELAY_BEFORE = "delay_before"
    """`seconds` pass before it is done."""
    DELAY_AFTER = "delay_after"
    """`seconds` pass after it was done: a time-out for the caller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One kind of trouble for calls that match; `seconds` is for the delays."""

    call: str
    trouble: Trouble
    times: int = 1
    seconds: float = 0.0


NO_FAULT = Fault(call="", trouble=Trouble.DELAY_BEFORE)


class Faults:
    """The faults still to strike, in the order they were asked for."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, body: dict[str, Any]) -> None:
        """Take one from a control call; raise ValueError, TypeError or KeyError if malformed."""
        self._waiting.append(Fault(**{**body, "trouble": Trouble(body["trouble"])}))

    def clear(self) -> None:
        """Forget all."""
        self._waiting.clear()

    def take(self, call: str) -> Fault:
        """Return the fault that strikes this call; `NO_FAULT` when none does."""
        for index, fault in enumerate(self._waiting):
            if fnmatchcase(call, fault.call):
                if fault.times > 1:
                    self._waiting[index] = replace(fault, times=fault.times - 1)
                else:
                    del self._waiting[index]
                return fault
        return NO_FAULT
