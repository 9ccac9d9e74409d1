"""What of the stack to start."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Options:
    """What to start: the named parts with what they need (none named: all), and the demo world."""

    only: tuple[str, ...] = ()
    load_world: bool = True
