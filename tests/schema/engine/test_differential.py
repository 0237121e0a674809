"""Random operations get by plan what the reference executor gives, and leave the same rows."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.schema.engine.differential import Round
from tests.schema.engine.tally import Tally
from tests.schema.engine.twins import Stable

from crmkit_schema.engine import codecs, executor, levels
from crmkit_schema.engine.sqlite import SqliteJson

OPERATIONS = 250  # of each seed on each kind of database
SEEDS = range(4)
PLANTED_OPERATIONS = 1_500
DIALECTS = ("sqlite", "postgresql")


@pytest.fixture(scope="module")
def stables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Stable]]:
    """Keep what gives shops in pairs, by the kind of their databases."""
    made: dict[str, Stable] = {}
    yield made
    for each in made.values():
        each.close()


@pytest.fixture
def run(
    stables: dict[str, Stable],
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[Callable[..., Tally]]:
    """Give a function that runs one round."""

    def round_of(dialect: str, seed: int, operations: int, **options: Any) -> Tally:
        if dialect not in stables:
            folder = tmp_path_factory.mktemp("stable")
            is_served = dialect == "postgresql"
            server = request.getfixturevalue("postgres_server") if is_served else ""
            stables[dialect] = Stable(Path(folder), server)
        with stables[dialect].twins() as twins:
            return Round(twins, dialect, seed).run(operations, **options)

    logging.disable(logging.CRITICAL)  # fields that fail on purpose would fill the output
    yield round_of
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_plans_give_what_the_reference_executor_gives(
    run: Callable[..., Tally], dialect: str, seed: int
) -> None:
    tally = run(dialect, seed, OPERATIONS)

    print(f"\n{tally.report(reasons=8)}")
    assert not tally.mismatches, str(tally.mismatches[0])
    assert tally.compared == OPERATIONS


def wrong_codec(patch: pytest.MonkeyPatch) -> None:
    right = codecs._CODECS["DateTime", "instant"]
    patch.setitem(codecs._CODECS, ("DateTime", "day"), right)
    patch.setitem(codecs._CODECS, ("DateTime", "instant"), codecs._CODECS["Date", "day"])


def wrong_order(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(levels.PlanLevel, "turned", lambda _level, rows, _limit: rows)


def lost_null(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SqliteJson, "present", lambda _json, _expression, made: made)


def lost_absence(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SqliteJson, "unless_null", lambda _json, _expression, made: made)


def plan_of_another_shape(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(executor, "shape", lambda _values: 0)


class AnyCaller(dict[Any, Any]):
    """Plans that are given to whoever asks, whatever permissions they were made for."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(_without_permissions(key), default)

    def add(self, key: Any, value: Any) -> None:
        self[_without_permissions(key)] = value


def _without_permissions(key: Any) -> Any:
    return tuple(each for each in key if not isinstance(each, frozenset))


def plan_of_another_caller(patch: pytest.MonkeyPatch) -> None:
    made = executor.PlanExecutor.__init__

    def make(plans: Any, schema: Any) -> None:
        made(plans, schema)
        plans._plans = AnyCaller()

    patch.setattr(executor.PlanExecutor, "__init__", make)


@pytest.mark.parametrize(
    "plant",
    [
        wrong_codec,
        wrong_order,
        plan_of_another_shape,
        plan_of_another_caller,
    ],
)
def test_a_planted_mistake_is_found(
    run: Callable[..., Tally],
    monkeypatch: pytest.MonkeyPatch,
    plant: Callable[[pytest.MonkeyPatch], None],
) -> None:
    plant(monkeypatch)

    tally = run("sqlite", 0, PLANTED_OPERATIONS, mismatches_max=1)

    assert tally.mismatches
    print(f"found after {tally.compared:,} operations: {tally.mismatches[0]}"[:300])
