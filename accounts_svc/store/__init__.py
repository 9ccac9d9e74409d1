"""What PostgreSQL remembers: one module per aggregate, beside its .sql.

A person and all that is theirs live in the shard of their id. The directory of addresses lives in
the shards of the addresses' hashes: it makes an address unique across all shards, and is written
first. An entry whose person was never written (a crash in between) is taken over by the next
sign-up with that address.
"""
