"""The comparison of random operations finds mistakes: each of these is planted, and found."""

from collections.abc import Callable

import pytest
from tests.schema.engine.planting import PLANTED
from tests.schema.engine.tally import Tally
from tests.schema.engine.test_differential import OPERATIONS, SEEDS


@pytest.mark.falls_back
@pytest.mark.parametrize("plant", PLANTED)
def test_a_planted_mistake_is_found(
    run: Callable[..., Tally],
    monkeypatch: pytest.MonkeyPatch,
    plant: Callable[[pytest.MonkeyPatch], None],
) -> None:
    """In operations that show nothing without it: another test compares the same ones."""
    plant(monkeypatch)

    tallies = (run("sqlite", seed, OPERATIONS, mismatches_max=1) for seed in SEEDS)
    found = next((each for each in tallies if each.mismatches), None)

    assert found is not None
    print(f"found after {found.compared:,} operations: {found.mismatches[0]}"[:300])
