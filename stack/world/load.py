"""Loads the demo world, its two accounts first."""

from staymesh.accounts.v1 import accounts_pb2

from stack import connection
from stack.config import Settings
from stack.loading import Loaded, Progress, load_listings, load_reviews
from stack.world.generate import SOURCE, World

DEFAULT_LISTINGS = 2000
DEFAULT_SEED = 1


async def load_world(settings: Settings, world: World, progress: Progress) -> Loaded:
    """Load a world into the running services; loading it again changes nothing."""
    async with connection.services(settings) as services:
        accounts = world.demo_accounts()
        await services.users.ImportUsers(
            accounts_pb2.ImportUsersRequest(source=SOURCE, users=accounts)
        )
        loaded = await load_listings(services, SOURCE, world.records(), progress)
        reviews = world.reviews(loaded.listing_ids)
        await load_reviews(services, SOURCE, reviews, lambda _: None, loaded)
    return loaded
