"""The `staymesh` command line: what it says to a person, and how it fails."""

import errno
import sys
from typing import NoReturn

import typer

from stack.commands import doctor, down, load, logs, mail, status, up
from stack.errors import StackError

HELP = """Run all of Staymesh on this machine, look at it, and stop it.

Begin with `staymesh up`: it starts PostgreSQL, Valkey, Kafka, Elasticsearch, the Stripe sandbox,
every service and Envoy, loads a demo world the first time, and says where everything is. Its data
are kept in one folder, .staymesh in the repository or the one named by STAYMESH_HOME.
"""

app = typer.Typer(
    help=HELP, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)
app.command()(up.up)
app.command()(down.down)
app.command()(status.status)
app.command()(logs.logs)
app.command()(mail.mail)
app.command()(doctor.doctor)
app.command()(load.world)
app.add_typer(load.importers, name="import")


def main() -> NoReturn:
    """Run the command line; what goes wrong is a reason and a next step, never a traceback."""
    try:
        app(standalone_mode=True)
    except StackError as failure:
        fail(failure)
    except OSError as failure:
        where = f" ({failure.filename})" if failure.filename else ""
        fail(StackError(f"{failure.strerror or failure}{where}", _advice(failure)))
    sys.exit(0)


def fail(failure: StackError) -> NoReturn:
    """Print the reason and the next step, and exit with 1."""
    typer.echo(f"staymesh: {failure.reason}", err=True)
    if failure.next_step:
        typer.echo(f"  next: {failure.next_step}", err=True)
    sys.exit(1)


def _advice(failure: OSError) -> str:
    if failure.errno == errno.ENOSPC:
        return "the disk is full: free some space"
    return "run `staymesh doctor`"
