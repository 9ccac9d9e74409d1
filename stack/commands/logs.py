"""`staymesh logs`: what the parts have written."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from stack import config
from stack.commands.options import Home
from stack.errors import StackError

POLL_SECONDS = 0.2
READ_AT_ONCE_BYTES = 65536


def logs(
    part: Annotated[str | None, typer.Argument(help="One part; all when left out.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many of each.")] = 40,
    home: Home = None,
) -> None:
    """Print the last lines of the logs, each with its part's name, and follow them with -f."""
    folder = config.load(home=home).logs
    known = sorted(path.stem for path in folder.glob("*.log"))
    if part is not None and part not in known:
        raise StackError(f"there is no log of {part!r} in {folder}", _which(known))
    if not known:
        raise StackError(f"there are no logs in {folder}", "start the stack with `staymesh up`")
    chosen = [part] if part is not None else known
    width = max(len(name) for name in chosen) if part is None else 0
    tails = [Tail(folder / f"{name}.log", _prefix(name, width)) for name in chosen]
    for tail in tails:
        for line in tail.last(lines):
            typer.echo(line)
    while follow:
        for tail in tails:
            for line in tail.new():
                typer.echo(line)
        try:
            time.sleep(POLL_SECONDS)
        except KeyboardInterrupt:
            return


class Tail:
    """The end of one log, and what comes after it."""

    def __init__(self, path: Path, prefix: str) -> None:
        self._path = path
        self._prefix = prefix
        self._offset = 0
        self._rest = b""

    def last(self, count: int) -> Iterator[str]:
        """Return the last lines; `new` goes on behind them."""
        size = self._path.stat().st_size
        self._offset = max(0, size - max(READ_AT_ONCE_BYTES, count * 400))
        cut = self._offset > 0
        found = list(self.new())
        yield from (found[1:] if cut else found)[-count:] if count else []

    def new(self) -> Iterator[str]:
        """Return the whole lines written since; a log begun anew is read from its start."""
        try:
            size = self._path.stat().st_size
        except FileNotFoundError:
            return
        if size < self._offset:
            self._offset, self._rest = 0, b""
        if size == self._offset:
            return
        with self._path.open("rb") as log:
            log.seek(self._offset)
            content = self._rest + log.read(size - self._offset)
        self._offset = size
        *whole, self._rest = content.split(b"\n")
        for line in whole:
            yield self._prefix + line.decode(errors="replace")


def _prefix(name: str, width: int) -> str:
    return f"{name:<{width}} | " if width else ""


def _which(known: list[str]) -> str:
    return f"there are: {', '.join(known)}" if known else "start the stack with `staymesh up`"
