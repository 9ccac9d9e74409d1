"""The composition roots of the three roles: coordinator, indexer, availability shard."""

import argparse
import asyncio
import contextlib
import functools
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

import structlog
from staymesh.search.v1 import search_pb2_grpc as rpc

from mesh import app as mesh_app
from mesh.aio import within
from mesh.app import App, Mount
from mesh.bus import Follower
from mesh.bus.topics import PARTITIONS
from mesh.data import migrate
from mesh.data.cache import Cache, CacheSettings
from mesh.data.elastic import Elastic
from mesh.data.postgres import PostgresSettings, Shards
from mesh.data.redis import Redis
from mesh.errors import DeadlineExceeded
from mesh.rpc.client import ClientSettings
from search_svc.clients import gazetteer
from search_svc.clients.generations import Generations
from search_svc.clients.index import ListingIndex
from search_svc.clients.shards import ShardClients
from search_svc.config import IndexerSettings, SearchSettings, ShardSettings
from search_svc.domain.candidates import pack, unpack
from search_svc.domain.days import window_start
from search_svc.domain.shard import ShardState
from search_svc.events import Events, places, project_forever
from search_svc.flows.ask_shards import AskShards
from search_svc.flows.check_availability import CheckAvailability
from search_svc.flows.find_candidates import FindCandidates
from search_svc.flows.follow_changes import FollowChanges
from search_svc.flows.index_listings import IndexListings
from search_svc.flows.needs import FoundBatch
from search_svc.flows.project_changes import ProjectChanges
from search_svc.flows.search_listings import SearchListings
from search_svc.service import SearchServicer, ShardFacts, ShardServicer
from search_svc.store.listings import Listings
from search_svc.store.projection import CALENDARS, Projection

MIGRATIONS: Final = Path(__file__).parent / "store" / "migrations"
SEARCH: Final = "staymesh.search.v1.SearchService"
SHARD: Final = "staymesh.search.v1.AvailabilityShardService"
_CACHE: Final = "search-candidates-1"
_BATCH: Final = 500
_ONCE: Final = ClientSettings(attempts=2)
"""A shard that fails twice is left out: a page without it is better than a late one."""
_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardPlace:
    """Which shard a process is: it holds the partitions p with p % of == index."""

    index: int
    of: int

    @property
    def partitions(self) -> range:
        """Return the partitions that it holds."""
        return range(self.index, PARTITIONS, self.of)


def postgres(database_url: str, role: str, *, connections: int = 4) -> PostgresSettings:
    """Return where our database is: one logical shard, as what is searched together is together."""
    return PostgresSettings(
        url=database_url,
        shards=1,
        write_connections=connections,
        read_connections=connections,
        application_name=role,
    )


async def build(settings: SearchSettings, app: App) -> Sequence[Mount]:
    """Open the stores and the way to the shards; wire the coordinator."""
    database = postgres(settings.database_url, "search", connections=8)
    listings = Listings(await app.enter_async_context(await Shards.open(database)))
    redis = Redis.open(settings.redis_url)
    app.push_async_callback(redis.aclose)
    elastic = await app.enter_async_context(Elastic.open(settings.elasticsearch_url))
    channels = [
        await app.connect(f"shard-{index}", [address], _ONCE)
        for index, address in enumerate(settings.peer_shards)
    ]
    search = SearchListings(
        clock=app.clock,
        places=await asyncio.to_thread(gazetteer.load),
        candidates=FindCandidates(
            cache=_candidate_cache(redis, settings),
            generations=Generations(redis, settings.index_alias),
            index=ListingIndex(elastic, settings.index_alias),
            projection=listings,
            batch=settings.candidate_batch,
            index_seconds=settings.elasticsearch_seconds,
        ),
        shards=AskShards(shards=ShardClients(channels), soft_seconds=settings.shard_seconds),
    )
    return (Mount(SearchServicer(search), rpc.add_SearchServiceServicer_to_server, SEARCH),)


def _candidate_cache(redis: Redis, settings: SearchSettings) -> Cache[FoundBatch]:
    def seconds(found: FoundBatch) -> float:
        if found.missing:
            return 0
        if found.batch.last:
            return min(settings.index_refresh_seconds, settings.candidate_cache_seconds)
        return settings.candidate_cache_seconds

    return Cache(
        redis,
        CacheSettings(name=_CACHE, ttl_seconds=settings.candidate_cache_seconds),
        encode=lambda found: pack(found.batch),
        decode=lambda packed: FoundBatch(batch=unpack(packed)),
        seconds_of=seconds,
    )


async def build_indexer(settings: IndexerSettings, app: App) -> Sequence[Mount]:
    """Open the stores; start the worker that hears and the worker that indexes."""
    database = postgres(settings.database_url, "search-indexer")
    shards = await app.enter_async_context(await Shards.open(database))
    elastic = await app.enter_async_context(Elastic.open(settings.elasticsearch_url))
    redis = Redis.open(settings.redis_url)
    app.push_async_callback(redis.aclose)
    projection = Projection(shards)
    indexing = IndexListings(
        Listings(shards),
        ListingIndex(elastic, settings.index_alias),
        Generations(redis, settings.index_alias),
        settings.index_refresh_seconds,
    )
    project = ProjectChanges(projection=projection, clock=app.clock, on_listings=indexing.wake)
    follower = Follower(settings.kafka_url, "search-indexer", Events(project).apply, batch=_BATCH)
    app.background("index", indexing.forever())
    app.background("project", project_forever(follower, projection))
    return ()


async def build_shard(place: ShardPlace, settings: ShardSettings, app: App) -> Sequence[Mount]:
    """Load the snapshot, follow Kafka from its offsets, and serve once it has caught up."""
    name = f"search-shard-{place.index}"
    state = ShardState(window_start(app.clock.now()))
    async with await Shards.open(postgres(settings.database_url, name)) as shards:
        offsets = await Projection(shards).load(state, place.partitions)
    _log.info("snapshot loaded", shard=place.index, listings=len(state))
    follow = FollowChanges(state=state, clock=app.clock)
    follower = Follower(settings.kafka_url, name, Events(follow).apply)
    app.background("follow", follower.run(places(place.partitions, offsets)))
    app.background("roll", follow.roll_forever())
    with contextlib.suppress(DeadlineExceeded):  # Kafka is away: what was loaded is served
        async with within(settings.catch_up_seconds):
            await follower.caught_up()

    def facts() -> ShardFacts:
        positions = follower.positions.items()
        calendars = {partition: at for (topic, partition), at in positions if topic == CALENDARS}
        return ShardFacts(
            listings=len(state), lag_records=follower.lag_records, calendar_offsets=calendars
        )

    servicer = ShardServicer(place.index, place.of, CheckAvailability(state=state), facts)
    return (Mount(servicer, rpc.add_AvailabilityShardServiceServicer_to_server, SHARD),)


def main() -> NoReturn:
    """Be the role that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m search_svc")
    roles = parser.add_subparsers(dest="role", metavar="indexer | shard | migrate")
    roles.add_parser("indexer")
    roles.add_parser("migrate")
    shard = roles.add_parser("shard")
    shard.add_argument("--index", type=int, required=True)
    shard.add_argument("--of", type=int, required=True)
    given = parser.parse_args()
    match given.role:
        case "indexer":
            mesh_app.run(build_indexer, mesh_app.read_settings(IndexerSettings))
        case "shard":
            if not 0 <= given.index < given.of <= PARTITIONS:
                parser.error(f"--index is below --of, and --of is {PARTITIONS} at most")
            place = ShardPlace(index=given.index, of=given.of)
            mesh_app.run(
                functools.partial(build_shard, place), mesh_app.read_settings(ShardSettings)
            )
        case "migrate":
            settings = mesh_app.read_settings(IndexerSettings)
            migrate.run(postgres(settings.database_url, "search"), MIGRATIONS)
            sys.exit(0)
    mesh_app.run(build, mesh_app.read_settings(SearchSettings))
