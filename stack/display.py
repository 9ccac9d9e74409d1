"""Show a start while it happens: a live table on a terminal, plain lines elsewhere."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from stack.state import PartStatus, Status

GOOD = {"ready", "done", "external"}
BAD = {"restarting", "crash-looping", "failed"}
STYLES = {"starting": "yellow", "stopping": "yellow", "waiting": "dim", "stopped": "dim"}


class Display:
    """Shows each status it is given; a context manager, for the live table needs an end.

    With a terminal the table is redrawn in place until `settle`; after it, and without a
    terminal, each change of a part is one line.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._seen: dict[str, tuple[str, int]] = {}

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live = Live(console=self._console, refresh_per_second=8, transient=True)
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.settle()

    def settle(self) -> None:
        """End the live table; what follows is printed below it."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def show(self, status: Status) -> None:
        """Show this status, or what has changed since the last one."""
        lines = [line for name, part in status.parts.items() if (line := self._news(name, part))]
        if self._live is not None:
            self._live.update(starting_table(status))
            return
        for line in lines:
            self._console.print(line, highlight=False, soft_wrap=True)

    def _news(self, name: str, part: PartStatus) -> str | None:
        now = (part.state, part.restarts)
        if self._seen.get(name) == now or part.state == "waiting":
            return None
        before = self._seen.get(name)
        self._seen[name] = now
        if part.state in BAD:
            return f"  {name}: {part.state}: {part.note}"
        if part.state in GOOD and (before is None or before[0] not in GOOD):
            if before is not None and before[0] in BAD:
                return f"  {name}: {part.state} again"
            took = f" after {part.took_seconds:.1f} s" if part.took_seconds is not None else ""
            return f"  {name}: {part.state}{took}"
        return None


def styled(state: str) -> str:
    """Return the state in the colour it has everywhere."""
    style = "green" if state in GOOD else "red" if state in BAD else STYLES.get(state, "white")
    return f"[{style}]{state}[/]"


def starting_table(status: Status) -> Table:
    """Return one row a part: its name, its state, how long it took."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for name, part in status.parts.items():
        took = f"{part.took_seconds:.1f} s" if part.took_seconds is not None else ""
        table.add_row(name, styled(part.state), took or part.note[:60])
    return table
