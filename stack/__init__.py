"""Run everything Staymesh needs on one machine: the real parts, started, checked and stopped."""
