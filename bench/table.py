"""The one table that the bench prints."""

from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, kw_only=True)
class Row:
    """One ratio: ours beside the ceiling, both measured in the same run."""

    what: str
    ours: str
    ceiling: str
    ratio: float
    goal: str
    holds: bool | None
    """None where the row is for information."""


def show(rows: list[Row], skipped: list[str]) -> None:
    """Print the rows, then what was not measured and why."""
    table = Table(title="Staymesh against its ceilings, in one run", title_justify="left")
    for name in ("what", "ours", "ceiling", "ratio", "goal", ""):
        table.add_column(name, justify="right" if name == "ratio" else "left")
    for row in rows:
        verdict = {True: "holds", False: "MISSED", None: ""}[row.holds]
        table.add_row(row.what, row.ours, row.ceiling, f"{row.ratio:.2f}", row.goal, verdict)
    console = Console(width=140)
    console.print(table)
    for reason in skipped:
        console.print(f"not measured: {reason}", markup=False)
