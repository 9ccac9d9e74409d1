"""A folder of Inside Airbnb files, read row by row."""

import csv
import gzip
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from operator import itemgetter
from pathlib import Path
from typing import TextIO

from staymesh.accounts.v1 import accounts_pb2
from staymesh.booking.v1 import listings_pb2

from pricing.money import exponent
from stack.errors import StackError
from stack.imports import listings as listing_rows
from stack.imports.nights import COLUMNS, Nights, read_nights
from stack.imports.places import CityPlace, city_around
from stack.imports.rejects import RejectedRow, Rejects

_NEEDED = {"id", "name", "host_id", "latitude", "longitude", "price", "accommodates"}


class Snapshot:
    """One city's files. Rejected rows are counted in `rejects` while they are read."""

    def __init__(self, folder: Path, *, currency: str | None = None) -> None:
        """Look at the files; raise StackError when they are not a snapshot."""
        self.folder = folder
        self.rejects = Rejects()
        self._listings = self._file("listings.csv")
        self._calendar = self._file("calendar.csv")
        if self._listings is None:
            raise StackError(
                f"{folder} has no listings.csv.gz",
                "give the folder that holds the files of one city of Inside Airbnb",
            )
        self.place: CityPlace = city_around(self._points())
        self.currency = currency or self.place.currency

    @property
    def name(self) -> str:
        """Return what the snapshot is called among sources: the folder's name."""
        return f"inside-airbnb:{self.folder.resolve().name.lower()}"[:100]

    def records(
        self, today: date
    ) -> Iterator[tuple[accounts_pb2.ImportedUser, listings_pb2.ImportedListing]]:
        """Yield each listing with its host; the calendar's first night becomes `today`."""
        nights = self._nights()
        seen: set[str] = set()
        for row in _rows(self._listings, self.rejects):
            own = nights.get(row.get("id") or "")
            try:
                read = listing_rows.read_listing(row, self.place, own, self.currency)
                if read.source_id in seen:
                    raise RejectedRow("seen_before")
            except RejectedRow as rejected:
                self.rejects.count(listing_rows.FILE, rejected.reason)
                continue
            seen.add(read.source_id)
            yield read.host, _record(read, own or Nights(), today)

    def review_rows(self) -> Iterator[dict[str, str]]:
        """Yield the rows of reviews.csv; none when there is no such file or it has no comments."""
        path = self._file("reviews.csv")
        if path is not None and "comments" in self._header(path):
            yield from _rows(path, self.rejects)

    def _points(self) -> Iterator[tuple[float, float]]:
        path = self._listings
        assert path is not None
        missing = _NEEDED - set(self._header(path))
        if missing:
            raise StackError(
                f"{path.name} has no column {', '.join(sorted(missing))}",
                "use the detailed listings.csv.gz, not the summary of the same name",
            )
        # The rows are read again later; what is wrong with them is counted then.
        for row in _rows(path, Rejects()):
            try:
                yield listing_rows.point(row)
            except RejectedRow:
                continue

    def _nights(self) -> dict[str, Nights]:
        if self._calendar is None:
            return {}
        rows = self._columns(self._calendar, COLUMNS)
        return read_nights(rows, exponent(self.currency), self.rejects)

    def _file(self, name: str) -> Path | None:
        found = [self.folder / f"{name}.gz", self.folder / name]
        return next((path for path in found if path.is_file()), None)

    def _header(self, path: Path) -> list[str]:
        with _opened(path) as file:
            return next(csv.reader(file), [])

    def _columns(self, path: Path, names: Sequence[str]) -> Iterator[tuple[str, ...]]:
        """Yield the named columns alone: the way for files of a million rows."""
        with _opened(path) as file:
            rows = csv.reader(file)
            header = next(rows, [])
            # One past the last is the empty field that is put behind each row.
            places = [header.index(name) if name in header else len(header) for name in names]
            pick = itemgetter(*places)
            for row in rows:
                if len(row) != len(header):
                    self.rejects.count(path.name.removesuffix(".gz"), "wrong_number_of_fields")
                    continue
                row.append("")
                yield pick(row)


def _rows(path: Path | None, rejects: Rejects) -> Iterator[dict[str, str]]:
    """Yield whole rows; a row with too few or too many fields is counted and left out."""
    if path is None:
        return
    csv.field_size_limit(sys.maxsize)
    with _opened(path) as file:
        for row in csv.DictReader(file):
            if None in row or None in row.values():
                rejects.count(path.name.removesuffix(".gz"), "wrong_number_of_fields")
                continue
            yield row


def _record(read: listing_rows.Row, nights: Nights, today: date) -> listings_pb2.ImportedListing:
    return listings_pb2.ImportedListing(
        source_id=read.source_id,
        listing=read.listing,
        calendar_start=today.isoformat(),
        unavailable=nights.bitmap(),
        prices_minor=nights.overrides(read.base_minor),
    )


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    """Open a file, packed or not. Raise StackError when it turns out to be damaged."""
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8", errors="replace", newline="") as file:
            yield file
    except (EOFError, gzip.BadGzipFile, csv.Error, OSError) as error:
        raise StackError(f"{path.name} cannot be read: {error}", "download it again") from error
