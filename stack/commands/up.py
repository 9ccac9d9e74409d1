"""`staymesh up`: start everything, say where it is, keep it running."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from mesh.clock import SystemClock
from stack import config, local, preflight, state, summary
from stack.commands.options import EdgePort, Home, PortBase
from stack.config import Settings
from stack.display import Display
from stack.errors import StackError
from stack.state import Status

POLL_SECONDS = 0.1


def up(
    *,
    home: Home = None,
    port_base: PortBase = None,
    edge_port: EdgePort = None,
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Leave it running in the background.")
    ] = False,
    world: Annotated[
        bool, typer.Option(help="Load the demo world if this folder has none yet.")
    ] = True,
    only: Annotated[
        str, typer.Option(help="Start only these parts (comma-separated) and what they need.")
    ] = "",
) -> None:
    """Start everything and keep it running until Ctrl-C (or, with --detach, `staymesh down`).

    The first start fetches the Kafka and Elasticsearch jars (85 MB) and loads a demo world. A part
    that dies is started again. To use an existing server instead of starting one, name it in
    STAYMESH_POSTGRES_URL, STAYMESH_REDIS_URL, STAYMESH_KAFKA_URL, STAYMESH_ELASTICSEARCH_URL, or
    give a Stripe test key in STRIPE_API_KEY.
    """
    settings = config.load(home=home, port_base=port_base, edge_port=edge_port)
    options = local.Options(only=tuple(name for name in only.split(",") if name), load_world=world)
    if detach:
        _detached(settings, options)
    else:
        asyncio.run(_attached(settings, options))


async def _attached(settings: Settings, options: local.Options) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    console = Console()
    started = time.monotonic()
    announced = False

    with Display(console) as display:

        def changed(status: Status) -> None:
            nonlocal announced
            display.show(status)
            if status.state == "ready" and not announced:
                announced = True
                display.settle()
                _say_ready(console, status, time.monotonic() - started)
                console.print("Ctrl-C stops it.")

        await local.run(settings, options, stop=stop, changed=changed)
    console.print("All stopped; the data are kept.")


def _detached(settings: Settings, options: local.Options) -> None:
    """Start another process that does it, and watch its status until it is ready."""
    preflight.require_disk(settings.home)
    if (holder := state.holder(settings.home)) is not None:
        raise state.already_running(settings.home, holder)
    child = _spawn(settings, options)
    console = Console()
    started = time.monotonic()
    try:
        with Display(console) as display:
            status = _follow(settings.home, child, display)
    except KeyboardInterrupt:
        child.terminate()
        child.wait()
        raise StackError("the start was given up", "") from None
    _say_ready(console, status, time.monotonic() - started)
    console.print("`staymesh down` stops it.")


def _spawn(settings: Settings, options: local.Options) -> "subprocess.Popen[bytes]":
    argv = [sys.executable, "-m", "stack", "up", "--home", str(settings.home)]
    argv += ["--port-base", str(settings.ports.base), "--edge-port", str(settings.ports.edge)]
    argv += ["--world" if options.load_world else "--no-world", "--only", ",".join(options.only)]
    state.make_home(settings.home)
    settings.logs.mkdir(exist_ok=True)
    settings.status_file.unlink(missing_ok=True)
    log = settings.logs / "supervisor.log"
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            cwd=config.REPOSITORY,
            start_new_session=True,
        )
    finally:
        os.close(descriptor)


def _follow(home: Path, child: "subprocess.Popen[bytes]", display: Display) -> Status:
    """Return the status of the stack when it is ready. Raises StackError when it failed."""
    while True:
        ended = child.poll() is not None
        status = state.read(home)
        if status is not None:
            display.show(status)
            if status.state == "ready":
                return status
        if ended:
            reason = status.reason if status is not None else ""
            raise StackError(
                reason or f"the stack ended while starting (code {child.returncode})",
                (status.next_step if status is not None else "")
                or f"see {home / 'logs' / 'supervisor.log'}",
            )
        time.sleep(POLL_SECONDS)


def _say_ready(console: Console, status: Status, took_seconds: float) -> None:
    console.print(f"[bold green]Staymesh is up[/] after {took_seconds:.1f} s.\n")
    for line in summary.lines(status, SystemClock()):
        console.print(line, highlight=False, soft_wrap=True, markup=False)
    console.print()
