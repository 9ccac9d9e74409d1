"""`staymesh status`: ask each part how it is, now."""

import asyncio

import psutil
import typer
from rich.console import Console
from rich.table import Table

from stack import config, plan, state
from stack.commands.options import Home
from stack.display import styled
from stack.errors import NotReady
from stack.parts.part import Part
from stack.state import PartStatus, Status

PROBE_SECONDS = 5.0


def status(home: Home = None) -> None:
    """Show each part: its state, its health as asked just now, its memory, where it listens.

    Exits with 1 when no stack runs, or not all of it is well.
    """
    folder = config.load(home=home).home
    found = state.read(folder)
    if found is None or state.holder(folder) is None:
        typer.echo(f"nothing is running on {folder}: start it with `staymesh up`")
        raise typer.Exit(1)
    settings = config.load(home=folder, port_base=found.port_base, edge_port=found.edge_port)
    parts = [node for node in plan.make(settings).nodes if isinstance(node, Part)]
    health = asyncio.run(_ask([part for part in parts if part.name in found.parts]))
    Console().print(_table(found, health))
    typer.echo(f"the stack is {found.state} (process {found.pid}, data in {folder})")
    if found.state != "ready" or any(health.values()):
        raise typer.Exit(1)


async def _ask(parts: list[Part]) -> dict[str, str]:
    """Return what each part lacks; an empty text when it is well."""

    async def ask(part: Part) -> None:
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                await part.ready()
        except NotReady as lack:
            answers[part.name] = str(lack) or "not ready"
        except TimeoutError:
            answers[part.name] = f"no answer in {PROBE_SECONDS:.0f} s"

    answers = {part.name: "" for part in parts}
    async with asyncio.TaskGroup() as group:
        for part in parts:
            group.create_task(ask(part))
    return answers


def _table(found: Status, health: dict[str, str]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("part", "state", "health", "process", "memory", "restarts", "address"):
        table.add_column(title, justify="right" if title in {"memory", "restarts"} else "left")
    total = 0
    for name, part in found.parts.items():
        used = memory_bytes(part)
        total += used
        table.add_row(
            name,
            styled(part.state),
            _health(health.get(name)),
            str(part.pid or ""),
            f"{used / 1e6:.0f} MB" if used else "",
            str(part.restarts or ""),
            part.address,
        )
    table.add_row("", "", "", "", f"[bold]{total / 1e6:.0f} MB[/]", "", "")
    return table


def _health(lack: str | None) -> str:
    if lack is None:
        return ""
    return f"[red]{lack[:60]}[/]" if lack else "[green]well[/]"


def memory_bytes(part: PartStatus) -> int:
    """Return what the part and its children use; shared pages are counted once (PSS)."""
    if part.pid is None:
        return 0
    try:
        parent = psutil.Process(part.pid)
        return sum(_own_bytes(each) for each in (parent, *parent.children(recursive=True)))
    except psutil.NoSuchProcess:
        return 0


def _own_bytes(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except (psutil.AccessDenied, AttributeError):
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
