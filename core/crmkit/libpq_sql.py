"""Statements of writes on PostgreSQL, handed to libpq; values of few types travel as text."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, NamedTuple

from psycopg import pq
from psycopg.adapt import Transformer

from crmkit.prepared import PREPARED_MAX, run_prepared

_UNKNOWN, _BOOL, _INT8 = 0, 16, 20  # types of parameters; unknown is what the statement says


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
        texts = [_TEXTS.get(type(value), _enum)(value) for value in values]
    except KeyError:
        return None
    return Parameters(texts, tuple([_TYPES.get(type(value), _UNKNOWN) for value in values]))


def in_transaction(driver: Any) -> bool:
    """Begin the transaction of a connection if nothing has yet; false if that is psycopg's to do.

    Only psycopg knows how one begins that has characteristics of its own, and tells of one that
    has failed.
    """
    status = driver.pgconn.transaction_status
    if status == pq.TransactionStatus.IDLE:
        is_plain = driver.isolation_level is None and driver.read_only is None
        if driver.autocommit or not is_plain or driver.deferrable is not None:
            return False
        driver.pgconn.exec_(b"BEGIN")
        status = driver.pgconn.transaction_status
    return bool(status == pq.TransactionStatus.INTRANS)


def run(lent: Any, sql: str, given: Parameters) -> Fetched:
    """Run one statement in the transaction that the connection is in.

    Args:
        lent: psycopg's connection, lent by SQLAlchemy.
        sql: with `%s` for each value and `%%` for a percent sign.

    Raises:
        psycopg.Error: the database refused it.
    """
    result = run_prepared(lent, sql, _numbered(sql), given.texts, given.types)
    if not result.nfields:
        return Fetched([], result.command_tuples or 0)
    reading = Transformer(lent.dbapi_connection)
    reading.set_pgresult(result)
    rows = reading.load_rows(0, result.ntuples, tuple)
    return Fetched(rows, len(rows))


@lru_cache(maxsize=PREPARED_MAX)
def _numbered(sql: str) -> bytes:
    """Return a statement as libpq takes it: `$1`, `$2` and so on."""
    first, *others = sql.split("%s")
    parts = [first, *(f"${number}{part}" for number, part in enumerate(others, 1))]
    return "".join(parts).replace("%%", "%").encode()


def _array(values: list[Any]) -> bytes:
    types = set(map(type, values))
    if types == {str}:
        inner = '","'.join(values)
        # Only what separates the texts is quotes, and nothing needs to be escaped.
        if inner.count('"') == 2 * (len(values) - 1) and "\\" not in inner and "\0" not in inner:
            return f'{{"{inner}"}}'.encode()
    elif types == {int}:
        return f"{{{','.join(map(str, values))}}}".encode()
    texts = [_ELEMENTS.get(type(value), _quoted_enum)(value) for value in values]
    return f"{{{','.join(texts)}}}".encode()


def _enum(value: Any) -> bytes:
    if isinstance(value, StrEnum):
        return value.encode()
    raise KeyError(type(value))


def _quoted_enum(value: Any) -> str:
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
