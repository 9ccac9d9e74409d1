"""What the three roles of search are told by their environment."""

from mesh.app import Addresses, ServiceSettings


class ShardSettings(ServiceSettings):
    """An availability shard; which one it is, its command line says."""

    database_url: str
    kafka_url: str
    catch_up_seconds: float = 10.0
    """How long a shard that starts waits for Kafka before it serves what it has."""


class IndexerSettings(ServiceSettings):
    """The indexer."""

    database_url: str
    kafka_url: str
    redis_url: str
    """Where the coordinator caches: what is outdated there is said there."""
    elasticsearch_url: str
    index_alias: str = "listings"
    """What is written and searched; the index behind it has a version in its name."""
    index_refresh_seconds: int = 30
    """How long a new listing may stay out of searches."""


class SearchSettings(ServiceSettings):
    """The coordinator."""

    database_url: str
    redis_url: str
    elasticsearch_url: str
    peer_shards: Addresses
    """The availability shards; their order is their index."""
    index_alias: str = "listings"
    index_refresh_seconds: int = 30
    """Also how long a batch of candidates that is not full stays in the cache: it costs little to
    ask for again, and a listing that is new would be in it."""
    candidate_cache_seconds: int = 300
    candidate_batch: int = 250
    elasticsearch_seconds: float = 1.0
    """Then PostgreSQL is asked."""
    shard_seconds: float = 0.5
    """Then a page goes without the shards that have not answered."""
