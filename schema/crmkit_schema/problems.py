"""What mutations answer when something is wrong: typed, with codes, never a bare error.

A problem type is made for an error class of the domain; a mutation that raises the error answers
with the problem, built from the error's attributes.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, dataclass_transform

import strawberry
from strawberry.types.base import get_object_definition

from crmkit import Problem as RowError
from crmkit import Refused, ValidationFailed
from crmkit_schema.object_types import value_type
from crmkit_schema.specs import TypeSpec, note

T = TypeVar("T", bound=type)


@strawberry.interface(description="Why something was not done. Nothing was written.")
class Problem:
    """What every problem has."""

    code: str = strawberry.field(description="Stable name, for programs.")
    message: str = strawberry.field(description="One sentence, for people.")


note(Problem, TypeSpec())


@dataclass_transform(kw_only_default=True, field_specifiers=(strawberry.field,))
def problem_type(error: type[Refused]) -> Callable[[T], T]:
    """Make a class of plain attributes the problem that stands for an error class.

    Its attributes, beyond `code` and `message`, are read from the error's attributes of the same
    names.

    Args:
        error: raised by services; its subclasses are covered too.
    """

    def make(cls: T) -> T:
        namespace = {k: v for k, v in vars(cls).items() if k not in ("__dict__", "__weakref__")}
        made: T = value_type(type(cls.__name__, (Problem,), namespace))  # type: ignore[assignment]
        made.__crmkit_error__ = error  # type: ignore[attr-defined]
        return made

    return make


@value_type
class RowProblem:
    """One thing wrong with one value."""

    code: str = strawberry.field(description="Stable name, for programs.")
    message: str = strawberry.field(description="One sentence, for people.")
    row: int = strawberry.field(description="Position in the list that was sent, from 0.")
    field: str = strawberry.field(description="Path inside the row, such as lines[2].quantity.")
    value: str | None = strawberry.field(description="The value, cut to 100 characters.")


@problem_type(ValidationFailed)
class ValidationProblem:
    """Some of what was sent is wrong; all of it is listed."""

    problems: list[RowProblem] = strawberry.field(description="Everything found, in row order.")


@problem_type(Refused)
class RefusedProblem:
    """The rules do not allow it."""


def row_problems(problems: Sequence[RowError]) -> list[RowProblem]:
    """Return problems of rows as GraphQL gives them."""
    return [RowProblem(**each._asdict()) for each in problems]


def as_problem(error: Refused, members: Sequence[type]) -> Any:
    """Return the problem that stands for an error.

    Args:
        members: problem types to choose from; the nearest ancestor of the error's class wins.
    """
    by_error = {member.__crmkit_error__: member for member in members}  # type: ignore[attr-defined]
    chosen = next(by_error[cls] for cls in type(error).__mro__ if cls in by_error)
    values: dict[str, Any] = {"code": error.code, "message": str(error)}
    for declared in get_object_definition(chosen, strict=True).fields:
        if declared.python_name not in values:
            value = getattr(error, declared.python_name)
            values[declared.python_name] = (
                row_problems(value) if declared.python_name == "problems" else value
            )
    return chosen(**values)
