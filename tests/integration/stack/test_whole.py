"""The whole stack on one machine: every part well, within its memory, back after a kill."""

import asyncio
import os
import signal

import httpx
import psutil
import pytest

from stack.commands.status import memory_bytes
from stack.parts.services import NAMES
from tests.stack_fixture import RunningStack

LARGEST_BYTES = 3_000_000_000
BACK_SECONDS = 30.0


def test_every_part_is_up_and_all_together_fit_in_three_gigabytes(
    mesh_stack: RunningStack,
) -> None:
    parts = mesh_stack.status().parts
    assert {*NAMES, "postgres", "valkey", "kafka", "elasticsearch", "envoy"} <= parts.keys()
    assert {part.state for part in parts.values()} <= {"ready", "done"}
    supervisor = psutil.Process(mesh_stack.pid).memory_info().rss
    assert sum(memory_bytes(part) for part in parts.values()) + supervisor < LARGEST_BYTES


async def test_the_edge_serves_its_own_openapi_document(mesh_stack: RunningStack) -> None:
    async with httpx.AsyncClient(base_url=mesh_stack.edge_url) as client:
        document = (await client.get("/openapi.json")).json()
    assert document["servers"] == [{"url": mesh_stack.edge_url}]


@pytest.mark.parametrize("name", ["valkey", "stripe", "mail", "envoy"])
async def test_a_killed_part_of_the_running_stack_comes_back(
    mesh_stack: RunningStack, name: str
) -> None:
    before = mesh_stack.status().parts[name]
    assert before.pid is not None
    os.kill(before.pid, signal.SIGKILL)
    async with asyncio.timeout(BACK_SECONDS):
        while True:
            now = mesh_stack.status().parts[name]
            if now.pid != before.pid and now.state == "ready":
                break
            await asyncio.sleep(0.05)
    assert now.restarts == before.restarts + 1
