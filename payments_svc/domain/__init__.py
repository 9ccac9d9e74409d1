"""Pure rules of payments: no clock, no I/O, no wire format."""
