"""The `staymesh` command line."""

import asyncio
import signal
from pathlib import Path
from typing import Annotated

import typer

from stack import config, local
from stack.errors import StackError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def staymesh() -> None:
    """Run Staymesh on this machine."""


@app.command()
def up(
    home: Annotated[Path | None, typer.Option()] = None,
    port_base: Annotated[int | None, typer.Option()] = None,
    edge_port: Annotated[int | None, typer.Option()] = None,
    only: Annotated[str, typer.Option()] = "",
) -> None:
    """Start everything and keep it running until Ctrl-C."""
    settings = config.load(home=home, port_base=port_base, edge_port=edge_port)
    names = tuple(name for name in only.split(",") if name)

    async def run() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        await local.run(settings, only=names, stop=stop)

    asyncio.run(run())


def main() -> None:
    """Run the command line; an error we know is two lines, not a traceback."""
    try:
        app()
    except StackError as failure:
        typer.echo(f"staymesh: {failure.reason}", err=True)
        if failure.next_step:
            typer.echo(f"  next: {failure.next_step}", err=True)
        raise SystemExit(1) from None
