"""Tell a cancel of our own task from a CancelledError that merely came by."""

import asyncio


def being_cancelled() -> bool:
    """Return whether somebody asked the running task to end."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
