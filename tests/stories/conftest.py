"""Two people and a listing, on the whole mesh."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.stack_fixture import RunningStack
from tests.stories.people import Person, publish, sign_up


@pytest.fixture
def mail(mesh_stack: RunningStack) -> Path:
    return mesh_stack.home / "mail" / "messages.jsonl"


@pytest.fixture
async def api(mesh_stack: RunningStack) -> AsyncIterator[httpx.AsyncClient]:
    limits = httpx.Limits(max_connections=300)
    async with httpx.AsyncClient(base_url=mesh_stack.edge_url, timeout=30, limits=limits) as client:
        yield client


@pytest.fixture
async def host(api: httpx.AsyncClient, mail: Path) -> Person:
    return await sign_up(api, mail, host=True)


@pytest.fixture
async def guest(api: httpx.AsyncClient, mail: Path) -> Person:
    return await sign_up(api, mail)


@pytest.fixture
async def listing_id(host: Person) -> str:
    listing = await publish(host)
    return str(listing["listingId"])
