"""What the service does: one file per verb, each opening with its steps."""
