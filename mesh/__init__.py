"""Plumbing shared by every service; it knows no service and no business message."""
