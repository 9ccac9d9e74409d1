"""Listings, their calendars, quotes, holds and bookings."""
