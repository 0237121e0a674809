import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa

from crmkit import Migration, PluginError, Refused
from crmkit.database import Database
from crmkit.migrating import current, purge, upgrade
from crmkit.plugins import PluginRegistry

PluginMaker = Callable[..., ModuleType]
RegistryMaker = Callable[..., PluginRegistry]


def make(*names: str, refers_to: str | None = None) -> Migration:
    def up(op: Any) -> None:
        for name in names:
            key = [sa.ForeignKey(f"{refers_to}.id")] if refers_to else []
            op.create_table(name, sa.Column("id", sa.Integer(), *key, primary_key=True))

    def down(op: Any) -> None:
        for name in names:
            op.drop_table(name)

    return Migration("only", up, down)


def fail(op: Any) -> None:
    raise ZeroDivisionError


def test_a_plugin_that_is_on_loses_its_tables_and_its_history(
    database: Database, registry_of: RegistryMaker, gift: ModuleType, tables: Callable[[], set[str]]
) -> None:
    upgrade(database, registry_of())
    before = tables()
    upgrade(database, registry_of(gift))

    dropped = purge(database, registry_of(gift), "gift")

    assert dropped == ["gift_card", "gift_schema_version"]
    assert tables() == before


def test_the_steps_of_a_plugin_that_is_on_are_taken_back(
    scalar: Callable[[str], Any],
    database: Database,
    registry_of: RegistryMaker,
    plugin: PluginMaker,
    run: Callable[..., None],
) -> None:
    def leave(op: Any) -> None:
        op.execute("INSERT INTO witness VALUES (1)")

    steps = [make("gift_card"), Migration("second", lambda op: None, leave)]
    registry = registry_of(plugin("gift", steps))
    upgrade(database, registry)
    run("CREATE TABLE witness (id INTEGER)")

    purge(database, registry, "gift")

    assert scalar("SELECT count(*) FROM witness") == 1


def test_an_installed_plugin_that_is_off_is_purged_by_its_own_steps(
    database: Database,
    registry_of: RegistryMaker,
    plugin: PluginMaker,
    monkeypatch: pytest.MonkeyPatch,
    tables: Callable[[], set[str]],
) -> None:
    called: list[Any] = []
    steps = [make("gift_card"), Migration("second", lambda op: None, lambda op: called.append(op))]
    module = plugin("gift", steps)
    upgrade(database, registry_of(module))
    monkeypatch.setitem(sys.modules, "sample_gift_module", module)
    monkeypatch.setattr("crmkit.discovery.installed", lambda: {"gift": "sample_gift_module"})

    purge(database, registry_of(), "gift")

    assert len(called) == 1
    assert "gift_card" not in tables()


def test_an_orphan_is_purged_by_its_name_and_nothing_else_goes(
    database: Database,
    registry_of: RegistryMaker,
    plugin: PluginMaker,
    tables: Callable[[], set[str]],
    run: Callable[..., None],
) -> None:
    orphan = plugin("gift", [make("gift", "gift_card")])
    longer = plugin("gift_box", [make("gift_box_row")])
    upgrade(database, registry_of(orphan, longer))
    run("CREATE TABLE gifted (id INTEGER)")

    dropped = purge(database, registry_of(), "gift")

    assert dropped == ["gift", "gift_card", "gift_schema_version"]
    assert {"gift_box_row", "gift_box_schema_version", "gifted", "customer"} <= tables()
    assert [state.plugin for state in current(database, registry_of())] == ["core", "gift_box"]


def test_an_orphan_named_like_a_table_of_core_takes_only_its_own(
    database: Database,
    registry_of: RegistryMaker,
    plugin: PluginMaker,
    tables: Callable[[], set[str]],
) -> None:
    upgrade(database, registry_of(plugin("customer", [make("customer_wish")])))

    dropped = purge(database, registry_of(), "customer")

    assert dropped == ["customer_schema_version", "customer_wish"]
    assert {"customer", "customer_day"} <= tables()


def test_tables_that_refer_to_each_other_go_together(
    database: Database,
    registry_of: RegistryMaker,
    plugin: PluginMaker,
    tables: Callable[[], set[str]],
    run: Callable[..., None],
) -> None:
    upgrade(database, registry_of(plugin("gift", [make("gift_a")])))
    run("CREATE TABLE gift_b (id INTEGER PRIMARY KEY REFERENCES gift_a (id))")

    purge(database, registry_of(), "gift")

    assert not {"gift_a", "gift_b"} & tables()


def test_core_is_never_purged(
    database: Database, registry_of: RegistryMaker, tables: Callable[[], set[str]]
) -> None:
    upgrade(database, registry_of())

    with pytest.raises(Refused, match="core"):
        purge(database, registry_of(), "core")

    assert "customer" in tables()


def test_a_plugin_that_another_one_requires_is_not_purged(
    database: Database,
    registry_of: RegistryMaker,
    plugin: PluginMaker,
    gift: ModuleType,
    tables: Callable[[], set[str]],
) -> None:
    registry = registry_of(gift, plugin("ribbon", [make("ribbon_row")], requires=["gift"]))
    upgrade(database, registry)

    with pytest.raises(Refused, match="ribbon requires it"):
        purge(database, registry, "gift")

    assert "gift_card" in tables()


def test_a_plugin_whose_rows_an_orphan_refers_to_is_not_purged(
    database: Database,
    registry_of: RegistryMaker,
    plugin: PluginMaker,
    tables: Callable[[], set[str]],
) -> None:
    needed = plugin("gift", [make("gift_card")])
    orphan = plugin("ribbon", [make("ribbon_row", refers_to="gift_card")], requires=["gift"])
    upgrade(database, registry_of(needed, orphan))

    with pytest.raises(Refused, match="'ribbon_row' of ribbon refers to 'gift_card'"):
        purge(database, registry_of(needed), "gift")

    assert {"gift_card", "gift_schema_version"} <= tables()


def test_a_name_without_tables_is_refused(database: Database, registry_of: RegistryMaker) -> None:
    upgrade(database, registry_of())

    with pytest.raises(Refused, match="'gifft' has no tables"):
        purge(database, registry_of(), "gifft")


def test_a_failing_step_back_keeps_everything(
    database: Database,
    registry_of: RegistryMaker,
    plugin: PluginMaker,
    tables: Callable[[], set[str]],
) -> None:
    steps = [make("gift_card"), Migration("second", lambda op: None, fail)]
    registry = registry_of(plugin("gift", steps))
    upgrade(database, registry)

    with pytest.raises(PluginError, match="downgrade 'second' failed"):
        purge(database, registry, "gift")

    assert {"gift_card", "gift_schema_version"} <= tables()
