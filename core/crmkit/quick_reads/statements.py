"""Statements with named parameters, as PostgreSQL itself takes them: by number."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import psycopg
from psycopg.adapt import PyFormat, Transformer

Types = tuple[int, ...]
"""The number that PostgreSQL has for the type of each parameter, 0 if the statement says it."""

# Small numbers have small types, which would be those of the next, larger ones, too.
_INT2, _INT4, _INT8 = 21, 23, 20
_WIDER: Final = {_INT2: _INT8, _INT4: _INT8}
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

    def encoded(
        self, values: Mapping[str, Any], connection: psycopg.Connection
    ) -> tuple[Sequence[Any], Types]:
        """Return parameters in order, as text, and their types as far as values tell them.

        A statement that says nothing of a parameter's type would take it for text.
        """
        given = [values[name] for name in self._names]
        adapting = Transformer(connection)
        texts = adapting.dump_sequence(given, self._formats)
        return texts, tuple(_WIDER.get(each, each) for each in adapting.types or ())

    def _number(self, found: re.Match[str]) -> str:
        name = found[1]
        if name is None:
            return "%"
        if name not in self._names:
            self._names.append(name)
        return f"${self._names.index(name) + 1}"


class NumberedStatements:
    """Statements met before."""

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


STATEMENTS: Final = NumberedStatements()
"""Those of all connections: a statement's numbers depend on nothing else."""
