"""Where state lives: PostgreSQL shards, Redis, Elasticsearch, and the tables of events.

Every foreign error stops in this package; callers see `mesh.errors`.
"""
