"""The composition root: opens what the process needs and wires it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from staymesh.reviews.v1 import reviews_pb2_grpc as rpc

from mesh import app as mesh_app
from mesh.app import App, Mount
from mesh.data import migrate
from mesh.data.postgres import PostgresSettings, Shards
from reviews_svc.config import Settings
from reviews_svc.flows.import_reviews import ImportReviewsFlow
from reviews_svc.flows.list_listing_reviews import ListListingReviewsFlow
from reviews_svc.service import ReviewServicer
from reviews_svc.store.reviews import Reviews

MIGRATIONS: Final = Path(__file__).parent / "store" / "migrations"
REVIEWS: Final = "staymesh.reviews.v1.ReviewService"


def postgres(settings: Settings) -> PostgresSettings:
    """Return where our database is."""
    return PostgresSettings(url=settings.database_url, application_name="reviews")


async def build(settings: Settings, app: App) -> Sequence[Mount]:
    """Open the database and wire."""
    return wire(await app.enter_async_context(await Shards.open(postgres(settings))))


def wire(shards: Shards) -> Sequence[Mount]:
    """Put flows and servicer together."""
    reviews = Reviews(shards)
    servicer = ReviewServicer(
        list_listing_reviews=ListListingReviewsFlow(reviews=reviews),
        import_reviews=ImportReviewsFlow(reviews=reviews),
    )
    return (Mount(servicer, rpc.add_ReviewServiceServicer_to_server, REVIEWS),)


def main() -> None:
    """Serve, or migrate."""
    mesh_app.main(
        build, Settings, migrate=lambda settings: migrate.run(postgres(settings), MIGRATIONS)
    )
