"""`make bench`: one table of ratios, each of two things measured in turn in the same run."""

import argparse
from collections.abc import Callable

from rich.console import Console

from bench import booking, calls, h2load, search
from bench.table import Row, show


def main() -> None:
    """Measure the chosen chapters and print the table."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", choices=CHAPTERS, help="one chapter alone")
    parser.add_argument(
        "--requests",
        type=int,
        default=20_000,
        help="calls in each round; booking and search take fewer",
    )
    parser.add_argument(
        "--listings", type=int, default=search.LISTINGS, help="how many are searched among"
    )
    parser.add_argument(
        "--port-base", type=int, help="where a hundred free ports begin, for the stacks it starts"
    )
    chosen = parser.parse_args()
    rows: list[Row] = []
    skipped: list[str] = []
    console = Console(stderr=True)
    for name, chapter in CHAPTERS.items():
        if chosen.only in (None, name):
            with console.status(f"measuring {name}"):
                chapter(chosen, rows, skipped)
    show(rows, skipped)


def _calls(chosen: argparse.Namespace, rows: list[Row], skipped: list[str]) -> None:
    if h2load.available():
        rows += calls.rows(chosen.requests)
    else:
        skipped.append(f"calls: {h2load.MISSING}")


def _booking(chosen: argparse.Namespace, rows: list[Row], _: list[str]) -> None:
    rows += booking.rows(chosen.requests, chosen.port_base)


def _search(chosen: argparse.Namespace, rows: list[Row], _: list[str]) -> None:
    rows += search.rows(chosen.requests, chosen.listings, chosen.port_base)


Chapter = Callable[[argparse.Namespace, list[Row], list[str]], None]
CHAPTERS: dict[str, Chapter] = {"calls": _calls, "booking": _booking, "search": _search}

if __name__ == "__main__":
    main()
