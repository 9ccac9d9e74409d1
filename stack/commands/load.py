"""`staymesh world` and `staymesh import`: fill a running stack with listings."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from mesh.clock import SystemClock
from mesh.errors import MeshError
from stack import config, connection, state
from stack.commands.options import Home
from stack.config import Ports, Settings
from stack.errors import StackError
from stack.imports.rejects import Rejects
from stack.imports.reviews import read_reviews
from stack.imports.snapshot import Snapshot
from stack.loading import Loaded, load_listings, load_reviews
from stack.world import World
from stack.world.load import DEFAULT_LISTINGS, DEFAULT_SEED, load_world

Step = Callable[[int], None]

importers = typer.Typer(no_args_is_help=True, help="Load listings from elsewhere.")


def world(
    listings: Annotated[
        int, typer.Option(min=1, max=100_000, help="How many listings to make.")
    ] = DEFAULT_LISTINGS,
    seed: Annotated[
        int, typer.Option(help="Another seed is another world; the same is the same.")
    ] = DEFAULT_SEED,
    home: Home = None,
) -> None:
    """Make a demo world and load it into the running stack.

    What is there already stays as it is: a larger world only adds to a smaller one of its seed.
    """
    settings = running(home)
    made = World(seed=seed, listings=listings, today=SystemClock().now().date())
    with _progress() as bar:
        step = _task(bar, "listings", listings)
        loaded = _run(lambda: load_world(settings, made, step))
    _summary(loaded, None)


@importers.command("inside-airbnb")
def inside_airbnb(
    folder: Annotated[
        Path,
        typer.Argument(
            help="A folder with listings.csv.gz, and calendar.csv.gz and reviews.csv.gz if any.",
            exists=True,
            file_okay=False,
        ),
    ],
    currency: Annotated[
        str | None,
        typer.Option(help="The currency of the prices. Without it: that of the city's country."),
    ] = None,
    home: Home = None,
) -> None:
    """Load one city's files of Inside Airbnb, as published, into the running stack.

    The calendar is moved so that its first night is tonight. Rows that cannot be used are counted
    by reason. Loading the same folder again changes nothing.
    """
    settings = running(home)
    snapshot = Snapshot(folder, currency=currency)
    loaded = _run(lambda: _import(settings, snapshot))
    _summary(loaded, snapshot.rejects)


async def _import(settings: Settings, snapshot: Snapshot) -> Loaded:
    today = SystemClock().now().date()
    with _progress() as bar:
        reading = bar.add_task("reading the calendar", total=None)
        records = await asyncio.to_thread(lambda: list(snapshot.records(today)))
        bar.remove_task(reading)
        async with connection.services(settings) as services:
            step = _task(bar, "listings", len(records))
            loaded = await load_listings(services, snapshot.name, records, step)
            rows = read_reviews(snapshot.review_rows(), loaded.listing_ids, snapshot.rejects)
            step = _task(bar, "reviews", None)
            await load_reviews(services, snapshot.name, rows, step, loaded)
    return loaded


def running(home: Path | None) -> Settings:
    """Return the settings of the stack that runs on this folder. Raise StackError if none does."""
    settings = config.load(home=home)
    status = state.read(settings.home)
    if state.holder(settings.home) is None or status is None:
        raise StackError("no stack is running on this folder", "start it with `staymesh up`")
    return replace(settings, ports=Ports(base=status.port_base, edge=status.edge_port))


def _run(work: Callable[[], Coroutine[None, None, Loaded]]) -> Loaded:
    """Run a load; a service that refuses is a reason, not a traceback."""
    try:
        return asyncio.run(work())
    except MeshError as refused:
        raise StackError(
            f"the load stopped: {refused} ({refused.reason})",
            "see `staymesh status`, then run it again: what is loaded is not loaded twice",
        ) from refused


@contextmanager
def _progress() -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), transient=True) as bar:
        yield bar


def _task(bar: Progress, name: str, total: int | None) -> Step:
    task = bar.add_task(name, total=total)
    return lambda done: bar.advance(task, done)


def _summary(loaded: Loaded, rejects: Rejects | None) -> None:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_row("hosts", f"{loaded.hosts_created:,} new")
    table.add_row(
        "listings", f"{loaded.listings_created:,} new, {loaded.listings_unchanged:,} known already"
    )
    table.add_row("nights", f"{loaded.nights:,} that differ from their listing")
    table.add_row(
        "reviews", f"{loaded.reviews_created:,} new, {loaded.reviews_unchanged:,} known already"
    )
    for (file, reason), count in sorted(rejects.counts.items()) if rejects else ():
        table.add_row("rejected", f"{count:,} of {file}: {reason.replace('_', ' ')}")
    Console().print(table)
