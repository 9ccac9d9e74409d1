"""Every test of the kit runs in virtual time: a sleep takes none, and the clock is exact."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name == "aio":
            item.add_marker(pytest.mark.looptime)


@pytest.fixture
def settle() -> Callable[[], Awaitable[None]]:
    """Let everything that is ready run, without letting time pass."""

    async def run_ready() -> None:
        for _ in range(20):
            await asyncio.sleep(0)

    return run_ready
