"""The rules of accounts, pure: no clock, no randomness, no I/O."""
