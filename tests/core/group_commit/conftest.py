"""A small table to write numbers into."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from crmkit.database import Database
from shared_writes import PATIENCE_SECONDS, Numbers


@pytest.fixture
def numbers(tmp_path: Path) -> Iterator[Numbers]:
    """Give an empty table of numbers, and see to it that no transaction is left open."""
    database = Database(f"sqlite:///{tmp_path / 'numbers.sqlite3'}")
    database.group.seconds_max = PATIENCE_SECONDS  # a busy machine must not split what is tested
    made = Numbers(database)
    yield made
    assert not made.driver.in_transaction
    made.write(-1)
    assert -1 in made.stored()
    database.close()
