"""Statements handed to libpq, prepared by name on each connection.

psycopg's cursors adapt any value and watch the socket themselves, which costs several times what
the statement does. Values of few simple types travel as text here; the connection, its transaction
and its errors stay psycopg's.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, Final, NamedTuple

from psycopg import errors, pq
from psycopg.adapt import Transformer

PREPARED_MAX: Final = 512
"""Statements that one connection keeps prepared here; further ones are parsed each time."""
_UNKNOWN, _BOOL, _INT8 = 0, 16, 20  # types of parameters; unknown is what the statement says
_GOOD: Final = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK)


class Fetched:
    """What a statement returned, as a cursor gives it.

    Attributes:
        rowcount: rows that were returned or changed.
    """

    def __init__(self, rows: list[tuple[Any, ...]], rowcount: int) -> None:
        self._rows, self.rowcount = rows, rowcount

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return all rows."""
        return self._rows

    def fetchone(self) -> tuple[Any, ...] | None:
        """Return the first row, None if there is none."""
        return self._rows[0] if self._rows else None


class Parameters(NamedTuple):
    """Values of a statement as libpq takes them.

    Attributes:
        types: the number that PostgreSQL has for the type of each, 0 if the statement says it.
    """

    texts: list[bytes | None]
    types: tuple[int, ...]


def parameters(values: Sequence[Any]) -> Parameters | None:
    """Return values in libpq's form, None if one has a type that only psycopg knows."""
    try:
        texts = [_TEXTS[type(value)](value) for value in values]
    except KeyError:
        return None
    return Parameters(texts, tuple([_TYPES.get(type(value), _UNKNOWN) for value in values]))


def is_in_transaction(driver: Any) -> bool:
    """Tell whether a connection is in a transaction that is good, so that nothing need begin it."""
    return bool(driver.pgconn.transaction_status == pq.TransactionStatus.INTRANS)


def run(driver: Any, prepared: dict[Any, bytes], sql: str, given: Parameters) -> Fetched:
    """Run one statement in the transaction that the connection is in.

    Args:
        driver: psycopg's connection.
        prepared: what is prepared on it, by statement.
        sql: with `%s` for each value and `%%` for a percent sign.

    Raises:
        psycopg.Error: the database refused it.
    """
    libpq, (texts, types) = driver.pgconn, given
    name = prepared.get((sql, types))
    if name is not None:
        result = libpq.exec_prepared(name, texts)
    elif len(prepared) < PREPARED_MAX:
        name = b"crmkit%d" % len(prepared)
        result = libpq.prepare(name, _numbered(sql), types)
        if result.status in _GOOD:
            prepared[sql, types] = name
            result = libpq.exec_prepared(name, texts)
    else:
        result = libpq.exec_params(_numbered(sql), texts, types)
    if result.status not in _GOOD:
        error = errors.error_from_result(result)
        if isinstance(error, errors.InvalidSqlStatementName):
            prepared.clear()  # somebody has sent DEALLOCATE ALL
        raise error
    rows: list[tuple[Any, ...]] = []
    if result.nfields:
        reading = Transformer(driver)
        reading.set_pgresult(result)
        rows = reading.load_rows(0, result.ntuples, tuple)
        return Fetched(rows, len(rows))
    return Fetched(rows, result.command_tuples or 0)


def _numbered(sql: str) -> bytes:
    """Return a statement as libpq takes it: `$1`, `$2` and so on."""
    first, *others = sql.split("%s")
    parts = [first, *(f"${number}{part}" for number, part in enumerate(others, 1))]
    return "".join(parts).replace("%%", "%").encode()


def _array(values: list[Any]) -> bytes:
    texts = [
        _ELEMENTS[type(value)](value) if type(value) in _ELEMENTS else _enum(value)
        for value in values
    ]
    return f"{{{','.join(texts)}}}".encode()


def _enum(value: Any) -> str:
    if isinstance(value, StrEnum):
        return _quoted(value.value)
    raise KeyError(type(value))


def _encoded(text: str) -> bytes:
    if "\0" in text:
        raise KeyError(text)  # libpq would end the text there; psycopg refuses it
    return text.encode()


def _quoted(text: str) -> str:
    if "\0" in text:
        raise KeyError(text)
    if "\\" in text or '"' in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


_ELEMENTS: Final[dict[type, Callable[[Any], str]]] = {
    str: _quoted,
    int: str,
    bool: lambda value: "t" if value else "f",
    type(None): lambda _: "NULL",
}
_TEXTS: Final[dict[type, Callable[[Any], bytes | None]]] = {
    str: _encoded,
    int: lambda value: b"%d" % value,
    bool: lambda value: b"t" if value else b"f",
    list: _array,
    type(None): lambda _: None,
}
_TYPES: Final = {int: _INT8, bool: _BOOL}
