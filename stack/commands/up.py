"""`staymesh up`: start everything, say where it is, keep it running."""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from stack import config, preflight, state, summary
from stack.commands.options import EdgePort, Home, PortBase
from stack.config import Settings
from stack.display import Display
from stack.errors import StackError
from stack.options import Options
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
    options = Options(only=tuple(name for name in only.split(",") if name), load_world=world)
    if detach:
        _detached(settings, options)
    else:
        # The background start needs none of it, and it takes a while to import.
        from stack import foreground  # noqa: PLC0415

        asyncio.run(foreground.run(settings, options))


def _detached(settings: Settings, options: Options) -> None:
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
    summary.say(console, status, time.monotonic() - started)
    console.print("`staymesh down` stops it.")


def _spawn(settings: Settings, options: Options) -> "subprocess.Popen[bytes]":
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
