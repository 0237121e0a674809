from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa

from crmkit import Migration, PluginError, Refused
from crmkit.database import Database
from crmkit.errors import DatabaseNotReady
from crmkit.migrating import Current, current, downgrade, pending, require_ready, upgrade
from crmkit.plugins import PluginRegistry

PluginMaker = Callable[..., ModuleType]
RegistryMaker = Callable[..., PluginRegistry]


def make(name: str, then: Callable[[Any], Any] = lambda op: None) -> Migration:
    def upgrade_step(op: Any) -> None:
        op.create_table(name, sa.Column("id", sa.Integer(), primary_key=True))
        then(op)

    return Migration("only", upgrade_step, lambda op: op.drop_table(name))


def test_an_empty_database_gets_every_table_of_core(
    database: Database, registry_of: RegistryMaker, tables: Callable[[], set[str]]
) -> None:
    registry = registry_of()

    steps = upgrade(database, registry)

    assert [step.revision for step in steps] == ["0001", "0002", "0003", "0004", "0005"]
    assert {"customer", "transaction_line", "import_run", "core_schema_version"} <= tables()
    assert current(database, registry) == [Current("core", "0005", "0005")]


def test_a_second_upgrade_does_nothing(
    database: Database, registry_of: RegistryMaker, gift: ModuleType
) -> None:
    registry = registry_of(gift)
    upgrade(database, registry)

    again = upgrade(database, registry)

    assert again == []


def test_plugins_are_migrated_after_those_they_require(
    database: Database, registry_of: RegistryMaker, plugin: PluginMaker
) -> None:
    first = plugin("zebra", [make("zebra_row")])
    second = plugin("apple", [make("apple_row")], requires=["zebra"])

    steps = upgrade(database, registry_of(second, first))

    assert [step.plugin for step in steps][-2:] == ["zebra", "apple"]


def test_one_plugin_is_upgraded_with_what_it_requires_and_nothing_else(
    database: Database,
    registry_of: RegistryMaker,
    plugin: PluginMaker,
    tables: Callable[[], set[str]],
) -> None:
    needed = plugin("zebra", [make("zebra_row")])
    wanted = plugin("apple", [make("apple_row")], requires=["zebra"])
    other = plugin("other", [make("other_row")])

    upgrade(database, registry_of(needed, wanted, other), "apple")

    assert {"zebra_row", "apple_row", "customer"} <= tables()
    assert "other_row" not in tables()


def test_down_and_up_again_gives_the_same_tables(
    database: Database, registry_of: RegistryMaker, gift: ModuleType, tables: Callable[[], set[str]]
) -> None:
    registry = registry_of(gift)
    upgrade(database, registry)
    before = tables()

    downgrade(database, registry, "gift", "base")
    downgrade(database, registry, "core", "base")

    assert tables() == {"core_schema_version", "gift_schema_version"}
    upgrade(database, registry)
    assert tables() == before


def test_a_downgrade_may_stop_half_way(
    database: Database, registry_of: RegistryMaker, gift: ModuleType
) -> None:
    registry = registry_of(gift)
    upgrade(database, registry)

    steps = downgrade(database, registry, "gift", "first")

    assert [(step.revision, step.direction) for step in steps] == [("second", "downgrade")]
    assert current(database, registry)[1] == Current("gift", "first", "second")


@pytest.mark.parametrize("name", ["core", "gift"])
def test_a_plugin_that_another_one_needs_is_not_downgraded(
    database: Database,
    registry_of: RegistryMaker,
    plugin: PluginMaker,
    gift: ModuleType,
    name: str,
    tables: Callable[[], set[str]],
) -> None:
    registry = registry_of(gift, plugin("ribbon", [make("ribbon_row")], requires=["gift"]))
    upgrade(database, registry)

    with pytest.raises(Refused, match=r"ribbon|gift"):
        downgrade(database, registry, name, "base")

    assert {"customer", "gift_card", "ribbon_row"} <= tables()


def test_core_is_not_downgraded_under_an_orphan(
    database: Database, registry_of: RegistryMaker, gift: ModuleType
) -> None:
    upgrade(database, registry_of(gift))

    with pytest.raises(Refused, match="gift"):
        downgrade(database, registry_of(), "core", "base")


@pytest.mark.parametrize(
    ("name", "to", "words"),
    [("gift", "third", "no revision 'third'"), ("nobody", "base", "is not on")],
)
def test_a_downgrade_to_nowhere_says_so(
    database: Database, registry_of: RegistryMaker, gift: ModuleType, name: str, to: str, words: str
) -> None:
    registry = registry_of(gift)
    upgrade(database, registry)

    with pytest.raises(PluginError, match=words):
        downgrade(database, registry, name, to)


def test_a_downgrade_never_goes_forward(
    database: Database, registry_of: RegistryMaker, gift: ModuleType
) -> None:
    registry = registry_of(gift)
    upgrade(database, registry)
    downgrade(database, registry, "gift", "base")

    with pytest.raises(Refused, match="before 'first'"):
        downgrade(database, registry, "gift", "first")


def test_a_removed_plugin_is_reported_and_hinders_nobody(
    database: Database, registry_of: RegistryMaker, gift: ModuleType
) -> None:
    upgrade(database, registry_of(gift))
    registry = registry_of()

    assert upgrade(database, registry) == []
    assert pending(database, registry) == []
    assert current(database, registry)[-1] == Current("gift", "second", None, is_orphan=True)


def test_a_table_that_only_sounds_like_a_version_table_is_no_orphan(
    database: Database, registry_of: RegistryMaker, run: Callable[..., None]
) -> None:
    upgrade(database, registry_of())
    run("CREATE TABLE stock_schema_version (noted_on DATE)")

    states = current(database, registry_of())

    assert [state.plugin for state in states] == ["core"]


def test_a_database_newer_than_the_code_is_refused_by_name(
    database: Database,
    registry_of: RegistryMaker,
    plugin: PluginMaker,
    gift: ModuleType,
    gift_steps: Sequence[Migration],
) -> None:
    upgrade(database, registry_of(gift))
    older = registry_of(plugin("gift", gift_steps[:1]))

    for use in (upgrade, pending, require_ready):
        with pytest.raises(PluginError, match=r"plugin 'gift': .*'second'.* newer than the code"):
            use(database, older)

    assert current(database, older)[1] == Current("gift", "second", "first")


def test_an_old_database_is_not_ready_and_the_error_says_what_to_run(
    database: Database, registry_of: RegistryMaker, gift: ModuleType
) -> None:
    upgrade(database, registry_of())

    with pytest.raises(DatabaseNotReady, match=r"gift .*run: crmkit db upgrade"):
        require_ready(database, registry_of(gift))

    upgrade(database, registry_of(gift))
    require_ready(database, registry_of(gift))
