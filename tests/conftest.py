"""Fixtures for all tests; see tests/stack_fixture.py for the real parts."""

import asyncio

pytest_plugins = ["tests.stack_fixture"]


def pytest_configure() -> None:
    """Say that the main thread has no event loop before a test makes one.

    Else the looptime plugin, asking for it in a test without one, makes a loop that nobody closes.
    """
    asyncio.set_event_loop(None)
