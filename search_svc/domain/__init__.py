"""What searching means, pure."""
