"""The demo world: loaded once into a data folder, through the services like any other listing."""

import hashlib
import sys

from stack.config import REPOSITORY, Settings
from stack.errors import StackError
from stack.parts.part import Say, Step, inherited_environment
from stack.process import Command, run_logged

STEP = "world"
MARKER = "world.loaded"


def step(settings: Settings, database_url: str, *, needs: tuple[str, ...]) -> Step:
    """Return the step that loads the demo world, unless this database has it.

    Loading is safe to repeat; the marker only saves the time.
    """
    marker = settings.home / MARKER
    digest = hashlib.sha256(database_url.encode()).hexdigest()

    async def run(say: Say) -> None:
        if marker.exists() and marker.read_text() == digest:
            return
        say("loading the demo world")
        command = Command(
            argv=(sys.executable, "-m", "stack", "world", "--home", str(settings.home)),
            env=inherited_environment(),
            cwd=REPOSITORY,
        )
        if code := await run_logged(command, settings.logs / f"{STEP}.log"):
            raise StackError(
                f"the demo world could not be loaded (code {code})",
                "see `staymesh logs world`, or start without it: staymesh up --no-world",
            )
        marker.write_text(digest)

    return Step(name=STEP, run=run, needs=needs)
