"""The money of bookings: authorized, kept or given back, each exactly once."""
