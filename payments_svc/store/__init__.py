"""What PostgreSQL remembers: one module per aggregate, beside its .sql."""
