"""`python -m stack` is the same as the `staymesh` command."""

from stack.cli import main

main()
