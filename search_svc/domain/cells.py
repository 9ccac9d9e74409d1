"""Cells of the map: what a cached batch of candidates depends on, so that it can be outdated.

A cell is a degree, or ten, each way. A listing lies in one of either size; a search looks at the
small ones that its circle touches, or at the large ones where those would be many.
"""

import math
from collections.abc import Iterator
from itertools import islice

from search_svc.domain.place import Area, Point

_SMALL, _LARGE = 1, 10
_MANY = 60


def cells_at(point: Point) -> tuple[str, str]:
    """Return the names of the cells that a point lies in."""
    return _name(_SMALL, point.lat, point.lng), _name(_LARGE, point.lat, point.lng)


def cells_of(area: Area) -> list[str]:
    """Return the names of cells that cover a circle, sorted."""
    small = list(islice(_covering(area, _SMALL), _MANY + 1))
    return sorted(small if len(small) <= _MANY else _covering(area, _LARGE))


def _covering(area: Area, size: int) -> Iterator[str]:
    for box in area.boxes():
        if box.west > 180:  # the empty one
            continue
        for row in range(math.floor(max(box.south, -90) / size), _last(min(box.north, 90), size)):
            for column in range(math.floor(box.west / size), _last(box.east, size)):
                yield _name(size, row * size, column * size)


def _last(edge: float, size: int) -> int:
    return math.floor(edge / size) + 1


def _name(size: int, lat: float, lng: float) -> str:
    return f"{size}:{math.floor(lat / size)}:{math.floor(lng / size)}"
