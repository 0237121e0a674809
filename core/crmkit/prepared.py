"""Statements that libpq runs for a thread that waits, prepared by name on each connection.

psycopg's cursors adapt any value and watch the socket from Python, which costs more than a small
statement does. The connection, its transaction and its errors stay psycopg's.
"""

from collections.abc import Sequence
from typing import Any, Final

from psycopg import errors, pq
from psycopg.pq.abc import PGconn, PGresult

PREPARED_MAX: Final = 512
"""Statements that one connection keeps prepared; further ones are parsed each time."""
_GOOD: Final = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK)


def run_prepared(
    lent: Any, sql: str, numbered: bytes, texts: Sequence[Any], types: Sequence[int]
) -> PGresult:
    """Run one statement and return libpq's result.

    Args:
        lent: a connection of psycopg's, lent by SQLAlchemy.
        sql: tells the statement apart from others.
        numbered: the same as libpq takes it: `$1`, `$2` and so on.
        texts: the parameters; `types` the numbers of their types, 0 if the statement says it.

    Raises:
        psycopg.Error: the database refused it.
    """
    libpq: PGconn = lent.dbapi_connection.pgconn
    prepared = lent.info.setdefault("prepared", {})
    name = prepared.get((sql, types))
    if name is not None:
        result = libpq.exec_prepared(name, texts)
    elif len(prepared) < PREPARED_MAX:
        name = b"crmkit%d" % len(prepared)
        result = libpq.prepare(name, numbered, types)
        if result.status in _GOOD:
            prepared[sql, types] = name
            result = libpq.exec_prepared(name, texts)
    else:
        result = libpq.exec_params(numbered, texts, types)
    if result.status not in _GOOD:
        error = errors.error_from_result(result)
        if isinstance(error, errors.InvalidSqlStatementName):
            prepared.clear()  # somebody has sent DEALLOCATE ALL
        raise error
    return result
