"""`python -m reviews_svc` serves; `python -m reviews_svc migrate` migrates."""

from reviews_svc.app import main

main()
