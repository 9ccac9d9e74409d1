"""`staymesh doctor`: look for what would keep the stack from running, and say how to mend it."""

import datetime
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import typer
from rich.console import Console

from mesh.clock import Clock, SystemClock
from stack import config, plan, preflight, state
from stack.commands.options import EdgePort, Home, PortBase
from stack.config import REPOSITORY, Settings
from stack.errors import StackError
from stack.jars import elasticsearch, kafka

NEEDED_MEMORY_BYTES = 3_000_000_000
MACHINES = {"x86_64", "aarch64"}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing looked at: whether it is well, what was found, what to do if it is not."""

    name: str
    well: bool
    found: str
    next_step: str = ""


def doctor(home: Home = None, port_base: PortBase = None, edge_port: EdgePort = None) -> None:
    """Check this machine: Python, processor, memory, disk, ports, jars, clock.

    Exits with 1 when something would keep the stack from running.
    """
    settings = config.load(home=home, port_base=port_base, edge_port=edge_port)
    console = Console()
    findings = [*_machine(SystemClock()), *_room(settings), _jars(settings), _ports(settings)]
    for finding in findings:
        mark = "[green]well[/]" if finding.well else "[red]bad [/]"
        console.print(f"{mark}  {finding.name:<9} {finding.found}", highlight=False)
        if not finding.well and finding.next_step:
            console.print(f"      next: {finding.next_step}", highlight=False)
    if not all(finding.well for finding in findings):
        raise typer.Exit(1)


def _machine(clock: Clock) -> Iterator[Finding]:
    yield Finding(name="python", well=sys.version_info >= (3, 11), found=sys.version.split()[0])
    here = platform.machine()
    yield Finding(
        name="machine",
        well=sys.platform == "linux" and here in MACHINES,
        found=f"{sys.platform} on {here}",
        next_step="the parts are built for Linux on x86_64 or aarch64: use a container or a VM",
    )
    now = clock.now()
    newest = (REPOSITORY / "requirements.lock").stat().st_mtime
    late = now < datetime.datetime.fromtimestamp(newest, datetime.UTC) - datetime.timedelta(days=1)
    yield Finding(
        name="clock",
        well=not late,
        found=f"{now:%Y-%m-%d %H:%M:%S} UTC" + (", before the files here were made" * late),
        next_step="set the clock: tokens and calendars go by it",
    )


def _room(settings: Settings) -> Iterator[Finding]:
    memory = psutil.virtual_memory()
    running = state.holder(settings.home) is not None
    yield Finding(
        name="memory",
        well=running or memory.available >= NEEDED_MEMORY_BYTES,
        found=f"{memory.available / 1e9:.1f} GB of {memory.total / 1e9:.1f} GB are free",
        next_step=f"the whole stack wants {NEEDED_MEMORY_BYTES / 1e9:.0f} GB: stop other programs",
    )
    parent = next(path for path in (settings.home, *settings.home.parents) if path.exists())
    free = shutil.disk_usage(parent).free
    yield Finding(
        name="disk",
        well=free >= preflight.NEEDED_BYTES,
        found=f"{free / 1e9:.1f} GB are free for {settings.home}",
        next_step="free some space, or put the data elsewhere with STAYMESH_HOME",
    )


def _jars(settings: Settings) -> Finding:
    places = {"kafka": kafka.location, "elasticsearch": elasticsearch.location}
    missing = [name for name, place in places.items() if not place(settings.cache).is_dir()]
    text = f"{' and '.join(missing)} will be fetched at the next start" if missing else "all here"
    return Finding(name="jars", well=True, found=f"{text} ({settings.cache})")


def _ports(settings: Settings) -> Finding:
    if (holder := state.holder(settings.home)) is not None:
        return Finding(name="ports", well=True, found=f"in use by our own stack, process {holder}")
    try:
        # Laid out in a folder for the moment: to look must not make anything.
        with tempfile.TemporaryDirectory() as scratch:
            preflight.require_free(plan.make(replace(settings, home=Path(scratch))).ports())
    except StackError as taken:
        return Finding(name="ports", well=False, found=taken.reason, next_step=taken.next_step)
    return Finding(name="ports", well=True, found="all free")
