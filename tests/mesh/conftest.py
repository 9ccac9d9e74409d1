"""One mesh for each test, on real sockets."""

from collections.abc import AsyncIterator

import pytest

from mesh.testing import LocalMesh


@pytest.fixture
async def mesh() -> AsyncIterator[LocalMesh]:
    async with LocalMesh() as local:
        yield local
