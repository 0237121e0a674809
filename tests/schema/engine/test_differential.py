"""Random operations get by plan what the reference executor gives, and leave the same rows."""

from collections.abc import Callable

import pytest
from tests.schema.engine.tally import Tally

OPERATIONS = 250  # of each seed on each kind of database
SEEDS = range(4)
DIALECTS = ("sqlite", "postgresql")


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_plans_give_what_the_reference_executor_gives(
    run: Callable[..., Tally], dialect: str, seed: int
) -> None:
    tally = run(dialect, seed, OPERATIONS)

    print(f"\n{tally.report(reasons=8)}")
    assert not tally.mismatches, str(tally.mismatches[0])
    assert tally.compared == OPERATIONS
    assert tally.covered > 0.85 * OPERATIONS
