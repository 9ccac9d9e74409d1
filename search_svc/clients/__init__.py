"""Elasticsearch, the shards, the gazetteer: what flows reach behind protocols of their own."""
