"""Declaring root mutations."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from crmkit_schema.declarations import declare
from crmkit_schema.problems import RefusedProblem, ValidationProblem
from crmkit_schema.sources import Mutated, Together

F = TypeVar("F", bound=Callable[..., Any])


def mutation(
    description: str,
    *,
    permission: str,
    problems: Sequence[type] = (),
    together: Together | None = None,
) -> Callable[[F], F]:
    """Decorate a method as a root mutation; its result type is a union with typed problems.

    The method is annotated with the type of success, or with several (`A | B`). `Refused` errors
    that it raises become members of the union: those in `problems`, else `ValidationProblem` or
    `RefusedProblem`.

    Args:
        problems: further problem types, made with `problem_type`.
        together: called as `together(context, inputs)` for the inputs of several requests that
            the same caller has sent at the same time; returns what each gives. It writes all or
            nothing: whatever it raises, the method is called for each request by itself then.
    """
    members = (ValidationProblem, RefusedProblem, *problems)
    return cast(Callable[[F], F], declare(Mutated(members, together), description, permission))
