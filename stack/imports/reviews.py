"""reviews.csv: one row a review; a summary file of that name has dates alone and is left out."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from staymesh.reviews.v1 import reviews_pb2

from stack.imports.rejects import RejectedRow, Rejects

FILE = "reviews.csv"


def read_reviews(
    rows: Iterable[Mapping[str, str]], listing_ids: Mapping[str, str], rejects: Rejects
) -> Iterator[reviews_pb2.ImportedReview]:
    """Yield the reviews of known listings; `listing_ids` are ours by the snapshot's ids."""
    for row in rows:
        try:
            yield _read(row, listing_ids)
        except RejectedRow as rejected:
            rejects.count(FILE, rejected.reason)


def _read(row: Mapping[str, str], listing_ids: Mapping[str, str]) -> reviews_pb2.ImportedReview:
    listing_id = listing_ids.get(row.get("listing_id") or "")
    if listing_id is None:
        raise RejectedRow("unknown_listing")
    source_id, text = (row.get("id") or "").strip(), (row.get("comments") or "").strip()
    if not source_id:
        raise RejectedRow("missing_id")
    if not text:
        raise RejectedRow("empty_comment")
    day = row.get("date") or ""
    try:
        date.fromisoformat(day)
    except ValueError:
        raise RejectedRow("wrong_date") from None
    return reviews_pb2.ImportedReview(
        source_id=source_id,
        listing_id=listing_id,
        reviewer_name=(row.get("reviewer_name") or "").strip()[:200],
        text=text.replace("\x00", "")[:20000],
        date=day,
    )
