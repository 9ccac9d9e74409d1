"""`python -m accounts_svc` serves; `python -m accounts_svc migrate` migrates."""

from accounts_svc.app import main

main()
