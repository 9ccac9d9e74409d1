"""Named queries in .sql files beside the store that runs them.

A file is a series of blocks; the shard's schema is written `{shard}`:

    -- name: hold_nights
    -- Take the nights of a stay.  $1 listing id, $2 nights
    UPDATE {shard}.nights ...

Texts are made per shard once, at load, so that each is one stable key of the statement cache.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mesh.ids import SHARDS

_NAME_LINE: Final = re.compile(r"--\s*name:\s*(.*)")
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_PLACEHOLDER: Final = "{shard}"


class SqlFileError(ValueError):
    """A .sql file breaks the format; the text names the file, the line and the rule."""


@dataclass(frozen=True, slots=True)
class Query:
    """One named statement, with its text for each shard."""

    name: str
    purpose: str
    text_by_shard: tuple[str, ...]

    @classmethod
    def of(cls, name: str, purpose: str, template: str) -> "Query":
        """Make a query from a template with `{shard}` in it."""
        texts = tuple(template.replace(_PLACEHOLDER, schema_of(n)) for n in range(SHARDS))
        return cls(name, purpose, texts)


class Queries:
    """The queries of one file, as attributes."""

    def __init__(self, path: Path, queries: dict[str, Query]) -> None:
        self._path = path
        self._queries = queries

    def __getattr__(self, name: str) -> Query:
        try:
            return self._queries[name]
        except KeyError:
            raise AttributeError(f"{self._path.name} has no query named {name!r}") from None

    def __iter__(self) -> Iterator[Query]:
        return iter(self._queries.values())

    def __len__(self) -> int:
        return len(self._queries)


def schema_of(shard: int) -> str:
    """Return the schema of a logical shard, as in `shard_07`."""
    return f"shard_{shard:02d}"


def load(path: Path) -> Queries:
    """Read a .sql file; raise SqlFileError when a block has no valid name, purpose or text."""
    queries: dict[str, Query] = {}
    block: list[str] = []
    start = 0
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if _NAME_LINE.fullmatch(line.strip()):
            _close(path, start, block, queries)
            block, start = [line], number
        elif block:
            block.append(line)
        elif line.strip():
            raise SqlFileError(f"{path}:{number}: text before the first '-- name:' line")
    _close(path, start, block, queries)
    if not queries:
        raise SqlFileError(f"{path}: no '-- name:' line in it")
    return Queries(path, queries)


def all_queries(folder: Path) -> list[Query]:
    """Return every query of every .sql file below `folder`, migrations apart."""
    files = sorted(f for f in folder.rglob("*.sql") if "migrations" not in f.parts)
    return [query for file in files for query in load(file)]


def _close(path: Path, start: int, block: list[str], queries: dict[str, Query]) -> None:
    if not block:
        return
    query = _parse(f"{path}:{start}", block)
    if query.name in queries:
        raise SqlFileError(f"{path}:{start}: a second query named {query.name!r}")
    queries[query.name] = query


def _parse(where: str, block: list[str]) -> Query:
    match = _NAME_LINE.fullmatch(block[0].strip())
    name = match[1].strip() if match else ""
    if not _NAME.fullmatch(name):
        raise SqlFileError(f"{where}: {name!r} is not a lower_snake name")
    lines = [line.rstrip() for line in block[1:]]
    end = next((i for i, line in enumerate(lines) if not line.startswith("--")), len(lines))
    purpose = " ".join(line.lstrip("- ").strip() for line in lines[:end]).strip()
    if not purpose:
        raise SqlFileError(f"{where}: {name} does not say its purpose")
    template = "\n".join(lines[end:]).strip().removesuffix(";").rstrip()
    if not template:
        raise SqlFileError(f"{where}: {name} has no SQL")
    return Query.of(name, purpose, template)
