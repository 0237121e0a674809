"""Lets tests, and the script that runs more of them, share modules; gives shops in pairs."""

import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

ROOT = str(Path(__file__).parents[3])
if ROOT not in sys.path:
    sys.path.append(ROOT)

if TYPE_CHECKING:
    from tests.schema.engine.tally import Tally
    from tests.schema.engine.twins import Stable


@pytest.fixture(scope="module")
def stables(tmp_path_factory: pytest.TempPathFactory) -> Iterator["dict[str, Stable]"]:
    """Keep what gives shops in pairs, by the kind of their databases."""
    made: dict[str, Stable] = {}
    yield made
    for each in made.values():
        each.close()


@pytest.fixture
def run(
    stables: "dict[str, Stable]",
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator["Callable[..., Tally]"]:
    """Give a function that runs one round."""

    from tests.schema.engine.differential import Round
    from tests.schema.engine.twins import Stable

    def round_of(dialect: str, seed: int, operations: int, **options: Any) -> "Tally":
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
