"""What the supervisor knows of a part: a process it keeps alive, or a step it does once."""

import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from stack.process import Command

Say = Callable[[str], None]
"""Told, in a few words, what is being done just now."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A process. `prepare` runs before its first start; `ready` raises while it cannot serve.

    It starts after what it `needs`, stops before it, and also before what it `uses`: that may
    come up later.
    """

    name: str
    command: Command
    ready: Callable[[], Awaitable[None]]
    prepare: Callable[[Say], Awaitable[None]] | None = None
    needs: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    address: str = ""
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 10.0
    start_seconds: float = 90.0


@dataclass(frozen=True, kw_only=True)
class Step:
    """Work done once, after what it needs is ready: making databases, checking an outside URL."""

    name: str
    run: Callable[[Say], Awaitable[None]]
    needs: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    address: str = ""
    external: bool = field(default=False)


Node = Part | Step


def inherited_environment() -> dict[str, str]:
    """Return our environment without what is meant for the stack itself.

    A service must see only the settings made for it, not another database's URL.
    """
    return {name: value for name, value in os.environ.items() if not _ours(name)}


def with_settings(values: Mapping[str, str]) -> dict[str, str]:
    """Return the inherited environment plus these settings."""
    return {**inherited_environment(), **values}


def _ours(name: str) -> bool:
    return name.startswith("STAYMESH_") or name in {"STRIPE_API_KEY", "PYTHONWARNINGS"}
