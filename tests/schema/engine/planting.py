"""Mistakes to be planted in the engine, each of another kind; the comparison must find them all."""

from typing import Any

import pytest
from graphql.error import located_error

from crmkit_schema.engine import codecs, executor, levels, mutation_calls, nulling, sqlite
from crmkit_schema.engine.compilation import Compilation
from crmkit_schema.engine.plan_memory import PlanMemory
from crmkit_schema.engine.sqlite import SqliteJson


def wrong_codec(patch: pytest.MonkeyPatch) -> None:
    """Write moments as days."""
    patch.setitem(codecs._CODECS, ("DateTime", "instant"), codecs._CODECS["Date", "day"])


def wrong_column(patch: pytest.MonkeyPatch) -> None:
    """Take one amount of money for another."""
    right = SqliteJson.amount
    patch.setattr(
        SqliteJson, "amount", lambda json, minor, currency: right(json, minor + 1, currency)
    )


def wrong_order(patch: pytest.MonkeyPatch) -> None:
    """Give pages that are counted from the end the wrong way round."""
    patch.setattr(levels.PlanLevel, "turned", lambda _level, rows, _limit: rows)


def lost_failure(patch: pytest.MonkeyPatch) -> None:
    """Let null stand where it must not."""
    patch.setattr(SqliteJson, "present", lambda _json, _expression, made: made)


def lost_money(patch: pytest.MonkeyPatch) -> None:
    """Give null where there is money."""
    patch.setattr(SqliteJson, "unless_null", lambda _json, _expression, _made: sqlite._NULL)


def null_that_stays(patch: pytest.MonkeyPatch) -> None:
    """Keep null to the field that failed, though it must not be null."""
    patch.setattr(nulling.Nulling, "_keep", lambda noted, _type, error: noted.errors.append(error))


def wrong_path(patch: pytest.MonkeyPatch) -> None:
    """Tell the field around the one that failed."""
    patch.setattr(
        nulling, "located_error", lambda error, nodes, path: located_error(error, nodes, path[:-1])
    )


def wrong_permission(patch: pytest.MonkeyPatch) -> None:
    """Show what the caller may not see."""
    patch.setattr(Compilation, "guarded", lambda _made, _place, _selected, compiled: compiled())


def plan_of_another_shape(patch: pytest.MonkeyPatch) -> None:
    """Give a plan to requests whose variables need another."""
    patch.setattr(executor, "shape", lambda _values: 0)


def plan_of_another_caller(patch: pytest.MonkeyPatch) -> None:
    """Give a plan to callers with other permissions."""
    get, add = PlanMemory.get, PlanMemory.add

    def given(memory: Any, text: str, *about: Any) -> Any:
        return get(memory, text, *_of_anybody(about))

    def kept(memory: Any, plan: Any, text: str, *about: Any) -> None:
        add(memory, plan, text, *_of_anybody(about))

    patch.setattr(PlanMemory, "get", given)
    patch.setattr(PlanMemory, "add", kept)


def _of_anybody(about: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(each for each in about if not isinstance(each, frozenset))


def written_twice(patch: pytest.MonkeyPatch) -> None:
    """Call the function of a mutation twice."""
    call = mutation_calls.MutationCall.called

    def twice(made: Any, run: Any) -> Any:
        call(made, run)
        return call(made, run)

    patch.setattr(mutation_calls.MutationCall, "called", twice)


PLANTED = (
    wrong_codec,
    wrong_column,
    wrong_order,
    lost_failure,
    lost_money,
    null_that_stays,
    wrong_path,
    wrong_permission,
    plan_of_another_shape,
    plan_of_another_caller,
    written_twice,
)
