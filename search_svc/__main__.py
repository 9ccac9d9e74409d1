"""`python -m search_svc` coordinates; `indexer`, `shard --index I --of N`, `migrate` do those."""

from search_svc.app import main

main()
