"""Kafka's jars, laid out as one class path."""

from pathlib import Path

from stack.jars import fetch


def location(cache: Path) -> Path:
    """Return the folder that has, once installed, Kafka's jars in `lib/`."""
    return fetch.location(cache, "kafka", fetch.lock_text("kafka"))


def install(cache: Path) -> None:
    """Fetch and check the jars, unless they are there. Blocks; raises StackError."""
    jars = fetch.read_lock(fetch.lock_text("kafka"))

    def build(draft: Path) -> None:
        fetch.place(jars, cache, lambda _: draft / "lib")

    fetch.build_once(location(cache), build)
