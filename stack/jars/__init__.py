"""The Java parts: jars fetched from their registry and checked against our own lock files."""
