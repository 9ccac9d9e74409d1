"""What a review is; pure."""
