"""A start in the foreground: shown while it happens, stopped by Ctrl-C."""

import asyncio
import logging
import signal
import time

from rich.console import Console

from stack import local, summary
from stack.config import Settings
from stack.display import Display
from stack.options import Options
from stack.state import Status


async def run(settings: Settings, options: Options) -> None:
    """Run the stack until SIGINT or SIGTERM. Raises StackError when it cannot be started."""
    # A probe that is cancelled while it connects is reported there; nobody can act on it.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    console = Console()
    started = time.monotonic()
    told = "starting"

    with Display(console) as display:

        def changed(status: Status) -> None:
            nonlocal told
            display.show(status)
            if status.state == told:
                return
            told = status.state
            display.settle()
            if told == "ready":
                summary.say(console, status, time.monotonic() - started)
                console.print("Ctrl-C stops it.")
            elif told == "stopping":
                console.print("Stopping ...")

        await local.run(settings, options, stop=stop, changed=changed)
    console.print("All stopped; the data are kept.")
