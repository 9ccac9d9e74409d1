"""The commands of `staymesh`, one file each."""
