"""A whole stack on one data folder, from the checks before it to the last part stopped."""

import asyncio
import os
from collections.abc import Callable

from stack import plan, preflight, state
from stack.config import Settings
from stack.errors import StackError
from stack.options import Options
from stack.parts import demo
from stack.state import Status
from stack.supervisor import Supervisor


async def run(
    settings: Settings,
    options: Options,
    *,
    stop: asyncio.Event,
    changed: Callable[[Status], None],
) -> None:
    """Run the stack until `stop` is set; `changed` sees each change of its status.

    The status is also written to the data folder. Raises StackError when it cannot be started.
    """
    preflight.require_disk(settings.home)
    with state.hold(settings.home):
        previous = state.read(settings.home)
        await asyncio.to_thread(preflight.end_leftovers, previous)
        settings.logs.mkdir(exist_ok=True)
        status = Status(
            pid=os.getpid(),
            home=str(settings.home),
            port_base=settings.ports.base,
            edge_port=settings.ports.edge,
        )

        def publish() -> None:
            status.write(settings.status_file)
            changed(status)

        def all_ready() -> None:
            status.state = "ready"
            publish()

        try:
            chosen = plan.make(settings)
            if not options.load_world:
                chosen = chosen.without(demo.STEP)
            chosen = chosen.only(options.only) if options.only else chosen
            preflight.require_free(chosen.ports())
            status.urls = chosen.urls
            supervisor = Supervisor(chosen.nodes, status, logs=settings.logs, changed=publish)
            await supervisor.run(all_ready=all_ready, stop=stop)
        except StackError as failure:
            status.state, status.reason = "failed", failure.reason
            status.next_step = failure.next_step
            publish()
            raise
        status.state = "stopped"
        publish()
