"""The schema is a contract: it changes only where somebody reads the difference."""

from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from crmkit import Crm, Settings
from crmkit.discovery import installed
from crmkit_schema.runtime import compose

SNAPSHOTS = Path(__file__).parents[2] / "schema"
BUILT_IN = sorted(name for name, module in installed().items() if module.startswith("crmkit_"))
SUBSETS = [some for size in range(len(BUILT_IN) + 1) for some in combinations(BUILT_IN, size)]


def sdl(folder: Path, *plugins: str) -> str:
    with Crm(Settings(data_dir=folder, plugins=plugins)) as crm:
        return compose(crm).sdl()


@pytest.mark.parametrize(("name", "plugins"), [("core", ()), ("all", tuple(BUILT_IN))])
def test_the_schema_is_the_one_that_was_agreed_on(
    tmp_path: Path, name: str, plugins: tuple[str, ...]
) -> None:
    agreed = (SNAPSHOTS / f"{name}.graphql").read_text(encoding="utf-8")

    assert sdl(tmp_path, *plugins) == agreed


@pytest.mark.parametrize("plugins", SUBSETS, ids=lambda some: "+".join(some) or "none")
def test_every_subset_of_the_built_in_plugins_builds(tmp_path: Path, plugins: Any) -> None:
    text = sdl(tmp_path, *plugins)

    assert all(f"(Plugin {each}.)" in text for each in plugins)
    assert not any(f"(Plugin {each}.)" in text for each in set(BUILT_IN) - set(plugins))


def test_the_same_plugins_give_the_same_text(tmp_path: Path) -> None:
    assert sdl(tmp_path, *BUILT_IN) == sdl(tmp_path, *reversed(BUILT_IN))
