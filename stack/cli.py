"""The `staymesh` command line: what it says to a person, and how it fails."""

import errno
import importlib
import sys
from typing import NoReturn

import typer

from stack.errors import StackError

HELP = """Run all of Staymesh on this machine, look at it, and stop it.

Begin with `staymesh up`: it starts PostgreSQL, Valkey, Kafka, Elasticsearch, the Stripe sandbox,
every service and Envoy, loads a demo world the first time, and says where everything is. Its data
are kept in one folder, .staymesh in the repository or the one named by STAYMESH_HOME.
"""

COMMANDS = {
    "up": "up",
    "down": "down",
    "status": "status",
    "logs": "logs",
    "mail": "mail",
    "doctor": "doctor",
    "world": "load",
    "import": "load",
}
"""Each command, and the module of stack.commands that it is in."""


def main() -> NoReturn:
    """Run the command line; what goes wrong is a reason and a next step, never a traceback."""
    try:
        application(sys.argv[1:])(standalone_mode=True)
    except StackError as failure:
        fail(failure)
    except OSError as failure:
        where = f" ({failure.filename})" if failure.filename else ""
        fail(StackError(f"{failure.strerror or failure}{where}", _advice(failure)))
    sys.exit(0)


def application(arguments: list[str]) -> typer.Typer:
    """Return the application with the command that is asked for, or with all for the help.

    Only that one is imported: most are quick, and some bring half of the project with them.
    """
    app = typer.Typer(
        help=HELP, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
    )
    # With a callback it stays a group, also with one command.
    app.callback()(lambda: None)
    asked = [name for name in arguments[:1] if name in COMMANDS]
    for name in asked or COMMANDS:
        module = importlib.import_module(f"stack.commands.{COMMANDS[name]}")
        if name == "import":
            app.add_typer(module.importers, name=name)
        else:
            app.command(name)(getattr(module, name))
    return app


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
