"""Joining many texts in SQL without nesting as deep as there are texts."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import String

_GROUP = 60
"""Operands of one concatenation; SQLite limits how deep an expression may be."""


class Concatenation(FunctionElement[str]):
    """Texts joined by `||`; null if one of them is."""

    type = String()
    inherit_cache = True


@compiles(Concatenation)
def _write(element: Concatenation, compiler: SQLCompiler, **options: Any) -> str:
    parts = [compiler.process(each, **options) for each in element.clauses]
    return "(" + " || ".join(parts) + ")"


def concatenated(parts: Sequence[ColumnElement[Any]]) -> ColumnElement[str]:
    """Return texts as one."""
    while len(parts) > _GROUP:
        parts = [
            Concatenation(*parts[start : start + _GROUP]) for start in range(0, len(parts), _GROUP)
        ]
    return Concatenation(*parts)
