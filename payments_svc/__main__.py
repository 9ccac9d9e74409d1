"""`python -m payments_svc` serves; `python -m payments_svc migrate` migrates."""

from payments_svc.app import main

if __name__ == "__main__":
    main()
