"""Reviews on a real PostgreSQL, over real gRPC."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from staymesh.reviews.v1 import reviews_pb2 as pb
from staymesh.reviews.v1 import reviews_pb2_grpc as rpc

import reviews_svc
from mesh.data.migrate import migrate
from mesh.data.postgres import PostgresSettings, Shards
from mesh.data.sql import all_queries
from mesh.errors import Forbidden, Invalid
from mesh.ids import new_id
from mesh.testing import LocalMesh
from reviews_svc.app import MIGRATIONS, wire

OURS = Path(reviews_svc.__file__).parent


def listing_id() -> str:
    return new_id("lst", now_ms=1_795_000_000_000)


@dataclass(kw_only=True)
class World:
    """The service, a stub for anybody and one for the stack, and a source of this test's own."""

    anybody: Any
    stack: Any
    admin: "asyncpg.Connection[asyncpg.Record]"
    source: str = field(default_factory=lambda: uuid.uuid4().hex)

    async def load(self, *batches: list[pb.ImportedReview]) -> tuple[int, int]:
        """Import batches; return how many were created and unchanged."""
        requests = [pb.ImportReviewsRequest(source=self.source, reviews=b) for b in batches]
        answer = await self.stack.ImportReviews(iter_async(requests))
        return answer.created, answer.unchanged

    async def pages(self, listing: str, size: int) -> list[list[pb.Review]]:
        """Turn the pages of a listing to the end."""
        pages, token = [], ""
        while True:
            request = pb.ListListingReviewsRequest(
                listing_id=listing, page_size=size, page_token=token
            )
            answer = await self.anybody.ListListingReviews(request)
            pages.append(list(answer.reviews))
            token = answer.next_page_token
            if not token:
                return pages


async def iter_async(items: list[Any]) -> AsyncIterator[Any]:
    for item in items:
        yield item


def imported(listing: str, number: int, *, days: int = 1, text: str = "Good") -> pb.ImportedReview:
    day = date(2026, 1, 1) + timedelta(days=number // days)
    return pb.ImportedReview(
        source_id=str(number),
        listing_id=listing,
        reviewer_name=f"Guest {number}",
        text=text,
        date=day.isoformat(),
    )


@pytest.fixture(scope="session")
def reviews_database(postgres_url: str) -> Iterator[str]:
    """The URL of a migrated database, made once: 16 schemas take a few seconds."""
    name = f"reviews_{uuid.uuid4().hex}"
    url = urlunsplit(urlsplit(postgres_url)._replace(path=f"/{name}"))

    async def administer(statement: str) -> None:
        admin = await asyncpg.connect(postgres_url)
        await admin.execute(statement)
        await admin.close()

    asyncio.run(administer(f"CREATE DATABASE {name} TEMPLATE template0"))
    asyncio.run(migrate(PostgresSettings(url=url), MIGRATIONS))
    yield url
    asyncio.run(administer(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
async def world(reviews_database: str) -> AsyncIterator[World]:
    """The service, wired as in production."""
    admin = await asyncpg.connect(reviews_database)
    async with (
        LocalMesh() as mesh,
        await Shards.open(PostgresSettings(url=reviews_database)) as shards,
    ):
        await mesh.serve("reviews", wire(shards).mounts())
        yield World(
            anybody=rpc.ReviewServiceStub(await mesh.connect("reviews")),
            stack=rpc.ReviewServiceStub(await mesh.connect("reviews", caller="stack")),
            admin=admin,
        )
    await admin.close()


async def test_pages_show_every_review_once_newest_first(world: World) -> None:
    listing, other = listing_id(), listing_id()
    # Five on each day: the page breaks fall between reviews of the same instant.
    reviews = [imported(listing, n, days=5) for n in range(23)]
    await world.load([*reviews, imported(other, 100)])
    pages = await world.pages(listing, 4)
    assert [len(page) for page in pages] == [4, 4, 4, 4, 4, 3]
    shown = [review for page in pages for review in page]
    assert {review.reviewer_name for review in shown} == {f"Guest {n}" for n in range(23)}
    instants = [review.publish_time.ToDatetime(UTC) for review in shown]
    assert instants == sorted(instants, reverse=True)
    assert instants[0] == datetime(2026, 1, 5, tzinfo=UTC)
    assert not any(review.HasField("rating") for review in shown)


async def test_a_page_has_twenty_unless_told_otherwise_and_a_full_last_page_is_the_last(
    world: World,
) -> None:
    listing = listing_id()
    await world.load([imported(listing, n) for n in range(40)])
    assert [len(page) for page in await world.pages(listing, 0)] == [20, 20]


async def test_a_listing_nobody_reviewed_has_one_empty_page(world: World) -> None:
    assert await world.pages(listing_id(), 10) == [[]]


async def test_loading_twice_changes_nothing(world: World) -> None:
    listings = [listing_id() for _ in range(50)]
    batches = [
        [imported(listings[n % 50], n) for n in range(start, start + 500)]
        for start in (0, 500, 1000)
    ]
    assert await world.load(*batches) == (1500, 0)
    before = [await world.pages(listing, 100) for listing in listings[:5]]
    assert await world.load(*batches) == (0, 1500)
    assert await world.load(batches[0][:3] * 2) == (0, 6)
    assert before == [await world.pages(listing, 100) for listing in listings[:5]]


async def test_reviews_are_plain_text(world: World) -> None:
    listing = listing_id()
    text = "Great place!<br/>&lt;script&gt;alert(1)&lt;/script&gt;<b>Thanks</b> &amp; bye\u202e"
    review = imported(listing, 1, text=text)
    review.reviewer_name = "<i>Ann</i>\x00\n"
    await world.load([review])
    ((shown,),) = await world.pages(listing, 10)
    assert (shown.text, shown.reviewer_name) == ("Great place!\nThanks & bye", "Ann")
    assert shown.listing_id == listing


async def test_a_wrong_date_is_named_and_what_came_before_stays(world: World) -> None:
    listing = listing_id()
    bad = imported(listing, 2)
    bad.date = "2026-02-30"
    with pytest.raises(Invalid) as refused:
        await world.load([imported(listing, 1)], [bad])
    assert refused.value.reason == "REVIEW_DATE_INVALID"
    assert refused.value.metadata == {"source_id": "2"}
    assert [len(page) for page in await world.pages(listing, 10)] == [1]
    assert await world.load([imported(listing, 1), imported(listing, 2)]) == (1, 1)


@pytest.mark.parametrize("token", ["x", "!!!", "bm90IG91cnM=", "\u00e9", "MTp1c3JfMQ=="])
async def test_a_page_token_of_another_kind_is_refused(world: World, token: str) -> None:
    request = pb.ListListingReviewsRequest(listing_id=listing_id(), page_token=token)
    with pytest.raises(Invalid) as refused:
        await world.anybody.ListListingReviews(request)
    assert refused.value.reason == "PAGE_TOKEN_INVALID"


async def test_only_services_import(world: World) -> None:
    with pytest.raises(Forbidden):
        await world.anybody.ImportReviews(iter_async([pb.ImportReviewsRequest(source="s")]))


async def test_every_statement_is_understood_by_the_database(world: World) -> None:
    queries = all_queries(OURS)
    assert len(queries) == 2
    for query in queries:
        await world.admin.prepare(query.text_by_shard[15])
