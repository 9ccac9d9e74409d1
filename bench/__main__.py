"""`make bench`: one table of ratios, each of two things measured in turn in the same run."""

import argparse
from collections.abc import Callable

from rich.console import Console

from bench import calls, h2load
from bench.table import Row, show


def main() -> None:
    """Measure the chosen chapters and print the table."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", choices=CHAPTERS, help="one chapter alone")
    parser.add_argument("--requests", type=int, default=20_000, help="calls in each round")
    chosen = parser.parse_args()
    rows: list[Row] = []
    skipped: list[str] = []
    console = Console(stderr=True)
    for name, chapter in CHAPTERS.items():
        if chosen.only in (None, name):
            with console.status(f"measuring {name}"):
                chapter(chosen.requests, rows, skipped)
    show(rows, skipped)


def _calls(requests: int, rows: list[Row], skipped: list[str]) -> None:
    if h2load.available():
        rows += calls.rows(requests)
    else:
        skipped.append(f"calls: {h2load.MISSING}")


Chapter = Callable[[int, list[Row], list[str]], None]
CHAPTERS: dict[str, Chapter] = {"calls": _calls}

if __name__ == "__main__":
    main()
