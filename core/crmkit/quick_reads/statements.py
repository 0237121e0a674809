"""Statements with named parameters, as PostgreSQL itself takes them: by number."""

import re
from collections.abc import Mapping
from typing import Any, Final

import psycopg
from psycopg.adapt import PyFormat, Transformer

REMEMBERED_MAX: Final = 1_024
_PARAMETER = re.compile(r"%\((\w+)\)s|%%")


class NumberedStatement:
    """One statement.

    Attributes:
        sql: as psycopg takes it.
        numbered: as libpq takes it.
    """

    def __init__(self, sql: str) -> None:
        self.sql = sql
        self._names: list[str] = []
        self.numbered = _PARAMETER.sub(self._number, sql).encode()
        self._formats = [PyFormat.TEXT] * len(self._names)

    def encoded(self, values: Mapping[str, Any], connection: psycopg.Connection) -> Any:
        """Return parameters in order, as text; PostgreSQL knows their types from the statement."""
        given = [values[name] for name in self._names]
        return Transformer(connection).dump_sequence(given, self._formats)

    def _number(self, found: re.Match[str]) -> str:
        name = found[1]
        if name is None:
            return "%"
        if name not in self._names:
            self._names.append(name)
        return f"${self._names.index(name) + 1}"


class NumberedStatements:
    """The statements met so far."""

    def __init__(self) -> None:
        self._known: dict[str, NumberedStatement] = {}

    def of(self, sql: str) -> NumberedStatement:
        """Return a statement."""
        found = self._known.get(sql)
        if found is None:
            if len(self._known) >= REMEMBERED_MAX:
                self._known.clear()
            found = self._known[sql] = NumberedStatement(sql)
        return found
