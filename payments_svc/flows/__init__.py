"""One file per verb; only flows order store, clients and domain."""
