"""The card processor: what flows need of it, and Stripe behind that."""
