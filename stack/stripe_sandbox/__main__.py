"""Serve the sandbox: `python -m stack.stripe_sandbox --listen 127.0.0.1:PORT --data DIR`."""

import argparse
from pathlib import Path

import uvicorn

from mesh.clock import SystemClock
from stack.stripe_sandbox.app import make_app
from stack.stripe_sandbox.objects import Objects


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="stack.stripe_sandbox", description=__doc__)
    parser.add_argument("--listen", required=True, metavar="HOST:PORT")
    parser.add_argument("--data", required=True, metavar="DIR", type=Path)
    arguments = parser.parse_args()
    host, _, port = arguments.listen.rpartition(":")
    arguments.data.mkdir(parents=True, exist_ok=True)
    with Objects(arguments.data / "stripe.sqlite3", SystemClock()) as objects:
        uvicorn.run(
            make_app(objects),
            host=host,
            port=int(port),
            log_level="warning",
            lifespan="off",
            timeout_keep_alive=75,  # longer than clients keep theirs, so that none is cut off
            timeout_graceful_shutdown=2,
        )


if __name__ == "__main__":
    main()
