"""`python -m booking_svc` serves; `python -m booking_svc migrate` migrates."""

from booking_svc.app import main

main()
