"""Finding a stay: the coordinator that guests ask, the indexer, and the availability shards."""
