"""Fetch jars by coordinate, and use none whose SHA-256 is not the one in our lock file.

The client (jgo) only warns about a bad checksum, so the proof is ours: see `read_lock`.
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from stack.errors import StackError

FETCH_TIMEOUT_SECONDS = 60
FETCH_THREADS = 8


@dataclass(frozen=True, kw_only=True)
class Jar:
    """One jar: its coordinate and the SHA-256 it must have."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        return f"{self.artifact}-{self.version}.jar"


def read_lock(text: str) -> tuple[Jar, ...]:
    """Read lines of `group:artifact:version sha256`; `#` starts a comment."""
    rows = (line.split() for line in text.splitlines() if line and not line.startswith("#"))
    return tuple(
        Jar(group=group, artifact=artifact, version=version, sha256=digest)
        for coordinate, digest in rows
        for group, artifact, version in [coordinate.split(":")]
    )


def lock_text(name: str) -> str:
    """Return the committed lock file of one part: kafka, elasticsearch or compiler."""
    return resources.files("stack.jars").joinpath(f"{name}.lock").read_text()


def location(cache: Path, name: str, recipe: str) -> Path:
    """Return where the build of this recipe is, or will be."""
    digest = hashlib.sha256(recipe.encode()).hexdigest()[:12]
    return cache / f"{name}-{digest}"


def build_once(finished: Path, build: Callable[[Path], None]) -> None:
    """Have `build` fill the folder, at most once.

    The folder appears under its name only when complete, so an interrupted build leaves
    nothing that looks finished; two processes at once build it once. Blocks: use a thread.
    """
    if finished.is_dir():
        return
    finished.parent.mkdir(parents=True, exist_ok=True)
    with _locked(finished.with_suffix(".lock")):
        if finished.is_dir():
            return
        draft = finished.with_suffix(".draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        build(draft)
        draft.replace(finished)


def place(jars: tuple[Jar, ...], cache: Path, folder: Callable[[Jar], Path]) -> None:
    """Fetch every jar, check it, and put it into the folder chosen for it.

    Raises StackError when one cannot be had or is not what the lock file says.
    """
    store = cache / "repository"

    def one(jar: Jar) -> None:
        path = _fetched(jar, store)
        target = folder(jar)
        target.mkdir(parents=True, exist_ok=True)
        # A copy, not a link: the store is the client's, which may rewrite its files.
        shutil.copyfile(path, target / jar.file_name)

    with ThreadPoolExecutor(FETCH_THREADS) as pool:
        for _ in pool.map(one, jars):
            pass


def _fetched(jar: Jar, store: Path) -> Path:
    path = _resolve(jar, store)
    if _sha256(path) == jar.sha256:
        return path
    # A half-written file of an earlier, interrupted fetch looks like this: fetch it once more.
    path.unlink()
    path = _resolve(jar, store)
    if _sha256(path) == jar.sha256:
        return path
    path.unlink()
    raise StackError(
        f"{jar.file_name} is not the file our lock names (SHA-256 differs)",
        "the registry or a proxy between changed it: do not use it; try from another network",
    )


def _resolve(jar: Jar, store: Path) -> Path:
    # Imported here: a second start finds all in the cache and need not load the client.
    from jgo.maven import MavenContext  # noqa: PLC0415

    context = MavenContext(repo_cache=store, timeout=FETCH_TIMEOUT_SECONDS)
    component = context.project(jar.group, jar.artifact).at_version(jar.version)
    try:
        return Path(component.artifact().resolve())
    except Exception as failure:  # the client has no error type of its own
        reason = str(failure).splitlines()[0] if str(failure) else type(failure).__name__
        raise StackError(
            f"cannot fetch {jar.file_name}: {reason}",
            "check the network (or the proxy settings) and start again: what came is kept",
        ) from failure


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
