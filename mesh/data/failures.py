"""What asyncpg's errors mean to a caller; the only place that knows both vocabularies."""

import asyncpg

from mesh.errors import DeadlineExceeded, Internal, Unavailable


class DatabaseUnavailable(Unavailable):
    """PostgreSQL cannot be reached or is going down; nothing was written."""

    reason = "DATABASE_UNAVAILABLE"


class WriteOutcomeUnknown(Unavailable):
    """The connection was lost while a write was under way: it may or may not have committed.

    It is never retried here. A caller that can tell (an idempotency row, a natural key) retries.
    """

    reason = "WRITE_OUTCOME_UNKNOWN"


class DatabaseContended(Unavailable):
    """Rivals kept winning until the time was up; nothing was written, a retry is safe."""

    reason = "DATABASE_CONTENDED"


class ConstraintViolation(Internal):
    """A constraint of the schema refused the row; the store that expects it catches it.

    `constraint`, `table` and `column` are names in the schema (empty when not given). Uncaught it
    is a bug, and its text stays inside the process.
    """

    def __init__(self, constraint: str, table: str, column: str = "") -> None:
        self.constraint = constraint
        self.table = table
        self.column = column
        super().__init__(f"constraint {constraint or column} of {table}")


class StatementFailed(Internal):
    """PostgreSQL refused a statement; `sqlstate` tells why (SQL functions may raise their own)."""

    def __init__(self, sqlstate: str, text: str) -> None:
        self.sqlstate = sqlstate
        super().__init__(f"{sqlstate}: {text}")


RIVALRY = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.InvalidCachedStatementError,
)
"""Rolled back through no fault of its own: run the whole thing again."""

LOST = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InternalClientError,
    asyncpg.InterfaceError,
)
"""The connection is gone or never was; of an InterfaceError only the text can tell."""

FOREIGN = (*LOST, asyncpg.PostgresError)
"""Everything asyncpg raises."""


def is_lost(error: BaseException) -> bool:
    """Tell whether the connection is gone; a wrong number or type of arguments is not that."""
    if isinstance(error, asyncpg.InterfaceError):
        return "clos" in str(error)  # "connection is closed", "pool is closing"
    return isinstance(error, LOST)


def translate(error: Exception, *, outcome_known: bool = True) -> Exception:
    """Return the mesh error for one of `FOREIGN`, to be raised from it.

    `outcome_known` False says that a write was under way when the error came.
    """
    if is_lost(error):
        return DatabaseUnavailable() if outcome_known else WriteOutcomeUnknown()
    if isinstance(error, asyncpg.IntegrityConstraintViolationError):
        return ConstraintViolation(
            getattr(error, "constraint_name", None) or "",
            getattr(error, "table_name", None) or "",
            getattr(error, "column_name", None) or "",
        )
    if isinstance(error, asyncpg.QueryCanceledError):
        return DeadlineExceeded("the statement ran out of time")
    if isinstance(error, (*RIVALRY, asyncpg.LockNotAvailableError)):
        return DatabaseContended()
    sqlstate = getattr(error, "sqlstate", None) or "client"
    return StatementFailed(sqlstate, str(error))
