"""The parts of the stack, one file each: how it is prepared, started, and known to be healthy."""
