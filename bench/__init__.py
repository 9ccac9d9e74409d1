"""How near we are to the ceilings: ratios, each of two things measured in turn in one run."""
