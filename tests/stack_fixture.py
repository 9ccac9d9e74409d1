"""The real parts for tests: one stack for the session, in its own folder and on its own ports.

It runs the same code as `staymesh up`, in a process of its own, so a kill of a service in a test
meets the real supervisor. Only the parts that the collected tests ask for are started:

- `postgres_url`       superuser's URL
- `fresh_database`     URL of an empty database with the extensions, dropped after the test
- `valkey_url`, `kafka_bootstrap`, `elasticsearch_url`
- `mesh_stack`         everything, behind Envoy: `mesh_stack.edge_url` and `.urls`

STAYMESH_TEST_HOME keeps the folder (and makes the next session's start quicker).
"""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from stack import preflight, process, state
from stack.databases import EXTENSIONS
from stack.state import Status

START_SECONDS = 400.0
PORTS_IN_A_BLOCK = 100
PARTS_BY_FIXTURE = {
    "postgres_url": {"postgres"},
    "fresh_database": {"postgres"},
    "valkey_url": {"valkey"},
    "kafka_bootstrap": {"kafka"},
    "elasticsearch_url": {"elasticsearch"},
    "mesh_stack": set[str](),
}


@dataclass(frozen=True, kw_only=True)
class RunningStack:
    """A stack that is up: its data folder and its URLs."""

    home: Path
    urls: dict[str, str]
    pid: int

    @property
    def edge_url(self) -> str:
        return self.urls["edge"]

    def status(self) -> Status:
        """Return what the supervisor says of its parts now."""
        found = state.read(self.home)
        assert found is not None
        return found


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Note which parts the collected tests will ask for."""
    asked = {name for item in items for name in getattr(item, "fixturenames", ())}
    used = asked & PARTS_BY_FIXTURE.keys()
    whole = "mesh_stack" in used
    parts = set[str]() if whole else set[str]().union(*(PARTS_BY_FIXTURE[name] for name in used))
    config.stash[_PARTS] = sorted(parts)


_PARTS: pytest.StashKey[list[str]] = pytest.StashKey()


@pytest.fixture(scope="session")
def running_stack(pytestconfig: pytest.Config) -> Iterator[RunningStack]:
    """Start what the session needs; stop it, and remove its folder, at the end."""
    kept = os.environ.get("STAYMESH_TEST_HOME")
    home = Path(kept or tempfile.mkdtemp(prefix="staymesh-test-"))
    home.mkdir(parents=True, exist_ok=True)
    # As a data folder: others may pass (PostgreSQL runs as another user), not look around.
    home.chmod(0o711)
    try:
        with _started(home, pytestconfig.stash[_PARTS]) as stack:
            yield stack
    finally:
        if not kept:
            shutil.rmtree(home)


@contextlib.contextmanager
def _started(home: Path, parts: list[str]) -> Iterator[RunningStack]:
    base = free_ports()
    argv = [
        sys.executable,
        "-m",
        "stack",
        "up",
        "--no-world",
        "--home",
        str(home),
        "--port-base",
        str(base),
    ]
    argv += ["--edge-port", str(base + PORTS_IN_A_BLOCK - 1), "--only", ",".join(parts)]
    (home / "status.json").unlink(missing_ok=True)
    log = home / "up.log"
    with log.open("w") as out:
        child = subprocess.Popen(
            argv,
            stdout=out,
            stderr=out,
            stdin=subprocess.DEVNULL,
            # Also when the tests are killed outright nothing is left running.
            preexec_fn=process.child_setup(None, signal.SIGTERM),  # noqa: PLW1509
        )
    try:
        yield _wait_until_ready(child, home, log)
    finally:
        child.terminate()
        try:
            child.wait(60)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _wait_until_ready(child: "subprocess.Popen[bytes]", home: Path, log: Path) -> RunningStack:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        status = state.read(home)
        if status is not None and status.state == "ready":
            return RunningStack(home=home, urls=status.urls, pid=child.pid)
        if child.poll() is not None:
            break
        time.sleep(0.05)
    pytest.fail(f"the stack did not start:\n{log.read_text()[-3000:]}", pytrace=False)


def free_ports() -> int:
    """Find a block of free ports below the range the kernel hands out."""
    chosen = random.SystemRandom()
    while True:
        base = chosen.randrange(22000, 32000, PORTS_IN_A_BLOCK)
        if all(preflight.is_free(base + offset) for offset in range(PORTS_IN_A_BLOCK)):
            return base


@pytest.fixture(scope="session")
def mesh_stack(running_stack: RunningStack) -> RunningStack:
    """The whole mesh, up and healthy."""
    return running_stack


@pytest.fixture(scope="session")
def postgres_url(running_stack: RunningStack) -> str:
    """The superuser's URL of the PostgreSQL server."""
    return running_stack.urls["postgres"]


@pytest.fixture
async def fresh_database(postgres_url: str) -> AsyncIterator[str]:
    """The URL of an empty database of this test's own, with our extensions in `public`."""
    name = f"test_{uuid.uuid4().hex}"
    url = urlunsplit(urlsplit(postgres_url)._replace(path=f"/{name}"))
    admin = await asyncpg.connect(postgres_url)
    try:
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        connection = await asyncpg.connect(url)
        for extension in EXTENSIONS:
            await connection.execute(f"CREATE EXTENSION {extension} SCHEMA public")
        await connection.close()
        yield url
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await admin.close()


@pytest.fixture(scope="session")
def valkey_url(running_stack: RunningStack) -> str:
    """The URL of the Valkey server, shared by the session: use keys of your own."""
    return running_stack.urls["valkey"]


@pytest.fixture(scope="session")
def kafka_bootstrap(running_stack: RunningStack) -> str:
    """The bootstrap address of the Kafka node, shared by the session: use topics of your own."""
    return running_stack.urls["kafka"]


@pytest.fixture(scope="session")
def elasticsearch_url(running_stack: RunningStack) -> str:
    """The URL of the Elasticsearch node, shared by the session: use indexes of your own."""
    return running_stack.urls["elasticsearch"]
