"""What a listing, a calendar and a booking are, and what may be done with them; pure."""
