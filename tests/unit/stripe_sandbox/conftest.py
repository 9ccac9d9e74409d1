"""One sandbox for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.stripe_sandbox.api import Api, running


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    """An empty sandbox."""
    async with running(tmp_path) as opened:
        yield opened
