"""Search's own database: the projection of what the indexer heard."""
