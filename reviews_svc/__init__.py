"""Reviews: what guests say of a stay."""
