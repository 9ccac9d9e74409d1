"""The composition root: opens what the process needs and wires it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from staymesh.reviews.v1 import reviews_pb2_grpc as rpc

from mesh import app as mesh_app
from mesh.app import App, Mount
from mesh.data import migrate
from mesh.data.postgres import PostgresSettings, Shards
from reviews_svc.config import ReviewsSettings
from reviews_svc.flows.import_reviews import ImportReviews
from reviews_svc.flows.list_listing_reviews import ListListingReviews
from reviews_svc.service import Flows, ReviewServicer
from reviews_svc.store.reviews import Reviews

MIGRATIONS: Final = Path(__file__).parent / "store" / "migrations"
REVIEWS: Final = "staymesh.reviews.v1.ReviewService"


@dataclass(frozen=True, kw_only=True)
class Service:
    """What the process serves."""

    flows: Flows

    def mounts(self) -> Sequence[Mount]:
        """Return the servicer, behind its contract."""
        servicer = ReviewServicer(self.flows)
        return (Mount(servicer, rpc.add_ReviewServiceServicer_to_server, REVIEWS),)


def postgres(settings: ReviewsSettings) -> PostgresSettings:
    """Return where our database is."""
    return PostgresSettings(url=settings.database_url, application_name="reviews")


def wire(shards: Shards) -> Service:
    """Put store and flows together."""
    reviews = Reviews(shards)
    return Service(
        flows=Flows(
            list_listing_reviews=ListListingReviews(reviews=reviews),
            import_reviews=ImportReviews(reviews=reviews),
        )
    )


async def build(settings: ReviewsSettings, app: App) -> Sequence[Mount]:
    """Open the database and wire."""
    shards = await app.enter_async_context(await Shards.open(postgres(settings)))
    return wire(shards).mounts()


def main() -> None:
    """Serve, or migrate."""
    mesh_app.main(
        build,
        ReviewsSettings,
        migrate=lambda settings: migrate.run(postgres(settings), MIGRATIONS),
    )
