"""Operator inputs: what a field of each type can be compared with."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import strawberry
from strawberry import UNSET
from strawberry.types.base import StrawberryOptional
from strawberry.types.enum import StrawberryEnumDefinition

from crmkit_schema.values import Long

_EQUAL = ("eq", "ne", "in", "isNull")
_RANGE = (*_EQUAL, "gt", "gte", "lt", "lte")
_BY_TYPE: dict[Any, tuple[str, tuple[str, ...]]] = {
    str: ("StringFilter", (*_EQUAL, "startsWith", "contains")),
    int: ("IntFilter", _RANGE),
    Long: ("LongFilter", _RANGE),
    float: ("FloatFilter", _RANGE),
    bool: ("BooleanFilter", ("eq", "isNull")),
    date: ("DateFilter", _RANGE),
    datetime: ("DateTimeFilter", _RANGE),
}
_PYTHON_NAMES = {"in": "in_", "startsWith": "starts_with", "isNull": "is_null"}


def has_operators(annotated: Any) -> bool:
    """Tell whether fields of a type can be filtered."""
    bare = _bare(annotated)
    return isinstance(bare, StrawberryEnumDefinition) or bare in _BY_TYPE


def operator_name(annotated: Any) -> str:
    """Return the name of the operator input of a type."""
    bare = _bare(annotated)
    if isinstance(bare, StrawberryEnumDefinition):
        return f"{bare.name}Filter"
    return _BY_TYPE[bare][0]


def operator_input(annotated: Any) -> Any:
    """Return a new operator input for a type."""
    bare = _bare(annotated)
    if isinstance(bare, StrawberryEnumDefinition):
        return _made(operator_name(bare), _EQUAL, bare.wrapped_cls)
    return _made(*_BY_TYPE[bare], bare)


def _made(name: str, operators: Sequence[str], value: Any) -> Any:
    types: dict[str, Any] = {"in": list[value], "isNull": bool}
    python_names = {each: _PYTHON_NAMES.get(each, each) for each in operators}
    namespace: dict[str, Any] = {
        python_names[each]: strawberry.field(name=each, default=UNSET) for each in operators
    }
    namespace["__annotations__"] = {
        python_names[each]: types.get(each, value) | None for each in operators
    }
    return strawberry.input(type(name, (), namespace), description="All given must hold.")


def _bare(annotated: Any) -> Any:
    return annotated.of_type if isinstance(annotated, StrawberryOptional) else annotated
