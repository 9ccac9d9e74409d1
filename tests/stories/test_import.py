"""Inside Airbnb's files, loaded through the command line: found, and loaded once only."""

import os
import re
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.snapshots import LISTINGS, REJECTED, write_snapshot
from tests.stack_fixture import RunningStack
from tests.stories.people import Person, day, eventually, ok, search_all

TITLE = "Row house by the park"
REAL = Path(os.environ.get("STAYMESH_TEST_SNAPSHOTS", "/nowhere"))


def _import(stack: RunningStack, folder: Path) -> str:
    """Run `staymesh import inside-airbnb` and return what it says."""
    argv = [sys.executable, "-m", "stack", "import", "inside-airbnb", str(folder)]
    done = subprocess.run(
        [*argv, "--home", str(stack.home)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _listings(said: str) -> tuple[int, int]:
    match = re.search(r"listings\s+([\d,]+) new, ([\d,]+) known", said)
    assert match is not None, said
    return int(match[1].replace(",", "")), int(match[2].replace(",", ""))


async def test_a_snapshot_is_loaded_found_and_not_loaded_twice(
    mesh_stack: RunningStack, guest: Person, tmp_path: Path
) -> None:
    folder = write_snapshot(tmp_path / f"made-up-{uuid.uuid4().hex}")
    said = _import(mesh_stack, folder)
    loaded = len(LISTINGS) + 2 - sum(REJECTED.values())
    assert _listings(said) == (loaded, 0)
    for reason in REJECTED:
        assert reason.replace("_", " ") in said
    assert _listings(_import(mesh_stack, folder)) == (0, loaded)

    async def row_house() -> Any:
        # The third night of each three is off the market; tonight is the first.
        near = {"lat": 42.65789, "lng": -73.7537, "radiusKm": 1, "amenities": "wifi"}
        stay = {"checkIn": day(30), "checkOut": day(32), "guests": 2}
        return [r for r in await search_all(guest, **near, **stay) if r["title"] == TITLE]

    hits = await eventually(row_house, within_seconds=20)
    usual = next(hit for hit in hits if hit["reviewCount"] == 12)
    reviews = ok(await guest.get(f"/api/v1/listings/{usual['listingId']}/reviews"))["reviews"]
    assert all("<br" not in review["text"] for review in reviews)


@pytest.mark.skipif(not REAL.is_dir(), reason="the real snapshots are not on this machine")
@pytest.mark.timeout(400)
@pytest.mark.parametrize("city", ["albany", "singapore"])
async def test_the_real_snapshots_are_loaded_whole(
    mesh_stack: RunningStack, guest: Person, city: str
) -> None:
    created, known = _listings(_import(mesh_stack, REAL / city))
    assert created + known > 400
    assert _listings(_import(mesh_stack, REAL / city)) == (0, created + known)

    async def some() -> Any:
        place = {"albany": "Albany, NY", "singapore": "Singapore"}[city]
        return ok(await guest.get("/api/v1/search", location=place))["results"]

    await eventually(some, within_seconds=60)
