import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa

from crmkit import Migration, PluginError
from crmkit.database import Database
from crmkit.migrating import upgrade
from crmkit.plugins import PluginRegistry

PluginMaker = Callable[..., ModuleType]
RegistryMaker = Callable[..., PluginRegistry]


def make(name: str, then: Callable[[Any], Any] = lambda op: None) -> Migration:
    def upgrade_step(op: Any) -> None:
        op.create_table(name, sa.Column("id", sa.Integer(), primary_key=True))
        then(op)

    return Migration("only", upgrade_step, lambda op: op.drop_table(name))


@pytest.mark.parametrize(
    "break_it",
    [
        lambda op: op.execute("INSERT INTO nowhere VALUES (1)"),
        lambda op: 1 / 0,
        lambda op: sys.exit(0),
    ],
)
def test_a_failing_step_leaves_nothing_and_names_the_plugin(
    database: Database,
    registry_of: RegistryMaker,
    plugin: PluginMaker,
    break_it: Callable[[Any], Any],
    tables: Callable[[], set[str]],
) -> None:
    broken = registry_of(
        plugin("apple", [make("apple_row")]), plugin("bad", [make("bad_row", break_it)])
    )

    with pytest.raises(PluginError, match="plugin 'bad': the upgrade 'only' failed"):
        upgrade(database, broken)

    assert not {"bad_row", "bad_schema_version"} & tables()
    assert upgrade(database, registry_of(plugin("bad", [make("bad_row")])))[0].plugin == "bad"


def test_the_second_of_two_steps_failing_takes_the_first_with_it(
    database: Database,
    registry_of: RegistryMaker,
    plugin: PluginMaker,
    gift_steps: Sequence[Migration],
    tables: Callable[[], set[str]],
) -> None:
    failing = Migration("third", lambda op: op.drop_table("nowhere"), lambda op: None)

    with pytest.raises(PluginError, match=r"'third' failed: .*nowhere"):
        upgrade(database, registry_of(plugin("gift", [*gift_steps, failing])))

    assert "gift_card" not in tables()
