"""Listings from elsewhere, read as they are published."""
