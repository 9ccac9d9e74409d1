"""`staymesh down`: stop the stack that runs on a data folder."""

import psutil
import typer

from stack import config, state
from stack.commands.options import Home
from stack.errors import StackError

LONGEST_STOP_SECONDS = 90.0


def down(home: Home = None) -> None:
    """Stop everything cleanly, wherever it was started from. The data are kept."""
    settings = config.load(home=home)
    pid = state.holder(settings.home)
    if pid is None:
        typer.echo(f"nothing is running on {settings.home}")
        return
    try:
        supervisor = psutil.Process(pid)
        supervisor.terminate()
        supervisor.wait(LONGEST_STOP_SECONDS)
    except psutil.NoSuchProcess:
        pass
    except psutil.TimeoutExpired:
        raise StackError(
            f"process {pid} has not stopped after {LONGEST_STOP_SECONDS:.0f} s",
            "see `staymesh status`; `kill -9` of that process takes its parts with it",
        ) from None
    typer.echo("all stopped; the data are kept")
