"""Random operations get by plan what the reference executor gives, and leave the same rows."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.schema.engine.differential import Round
from tests.schema.engine.planting import PLANTED
from tests.schema.engine.tally import Tally
from tests.schema.engine.twins import Stable

OPERATIONS = 250  # of each seed on each kind of database
SEEDS = range(4)
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
    assert tally.covered > 0.95 * OPERATIONS


@pytest.mark.falls_back
@pytest.mark.parametrize("plant", PLANTED)
def test_a_planted_mistake_is_found(
    run: Callable[..., Tally],
    monkeypatch: pytest.MonkeyPatch,
    plant: Callable[[pytest.MonkeyPatch], None],
) -> None:
    """In operations that show nothing without it: the test above compares the same ones."""
    plant(monkeypatch)

    tallies = (run("sqlite", seed, OPERATIONS, mismatches_max=1) for seed in SEEDS)
    found = next((each for each in tallies if each.mismatches), None)

    assert found is not None
    print(f"found after {found.compared:,} operations: {found.mismatches[0]}"[:300])
