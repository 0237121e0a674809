from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import SQLModel

from crmkit import table_of
from crmkit.database import Database
from crmkit.migrating import check, downgrade, upgrade
from crmkit.models import CORE_MODELS
from crmkit.plugins import PluginRegistry

PluginMaker = Callable[..., ModuleType]
RegistryMaker = Callable[..., PluginRegistry]


def spelt(described: Any) -> str:
    if isinstance(described, dict):
        return str({key: spelt(value) for key, value in described.items()})
    return str(described)


def structure(database: Database) -> dict[str, dict[str, object]]:
    """Describe every table of core as the database itself does."""
    found: dict[str, dict[str, object]] = {}
    with database.read() as session:
        inspector = sa.inspect(session.connection())
        for table in sorted(table_of(model).name for model in CORE_MODELS):
            lists: dict[str, list[Any]] = {
                "columns": inspector.get_columns(table),
                "indexes": inspector.get_indexes(table),
                "uniques": inspector.get_unique_constraints(table),
                "keys": inspector.get_foreign_keys(table),
                "checks": inspector.get_check_constraints(table),
            }
            found[table] = {kind: sorted(map(spelt, some)) for kind, some in lists.items()}
            found[table]["primary"] = inspector.get_pk_constraint(table)["constrained_columns"]
            found[table]["options"] = inspector.get_table_options(table)
    return found


def test_models_and_migrations_of_core_and_a_plugin_agree(
    database: Database, registry_of: RegistryMaker, gift: ModuleType
) -> None:
    registry = registry_of(gift)
    upgrade(database, registry)

    assert check(database, registry) == []


def test_migrating_gives_exactly_the_tables_that_the_models_describe(
    database: Database, registry_of: RegistryMaker
) -> None:
    upgrade(database, registry_of())
    migrated = structure(database)
    downgrade(database, registry_of(), "core", "base")

    with database.write() as session:
        tables = [table_of(model) for model in CORE_MODELS]
        SQLModel.metadata.create_all(session.connection(), tables=tables)

    assert structure(database) == migrated


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        ("DROP INDEX ix_tag", "core: index ix_tag of table customer_tag is missing"),
        (
            "ALTER TABLE customer ADD shoe INTEGER",
            "core: column customer.shoe is in the database only",
        ),
        (
            "ALTER TABLE customer DROP COLUMN occupation",
            "core: column customer.occupation is missing",
        ),
        ("DROP TABLE import_run", "core: table import_run is missing"),
        ("CREATE TABLE gift_left (id INTEGER)", "gift: table gift_left is in the database only"),
        ("CREATE INDEX extra ON customer (gender)", "core: index extra of table customer is in"),
    ],
)
def test_a_planted_difference_is_found(
    database: Database,
    registry_of: RegistryMaker,
    gift: ModuleType,
    harm: str,
    sentence: str,
    run: Callable[..., None],
) -> None:
    registry = registry_of(gift)
    upgrade(database, registry)

    run(harm)

    assert any(found.startswith(sentence) for found in check(database, registry))


def test_a_change_of_a_check_a_type_or_a_null_is_found(
    database: Database,
    registry_of: RegistryMaker,
    gift: ModuleType,
    plugin: PluginMaker,
    run: Callable[..., None],
) -> None:
    registry = registry_of(gift)
    upgrade(database, registry)
    downgrade(database, registry, "gift", "base")

    run("CREATE TABLE gift_card (id INTEGER PRIMARY KEY, value_minor VARCHAR)")

    found = "\n".join(check(database, registry))
    assert "gift: foreign key gift_card(customer_id) to customer is missing" in found
    assert "gift: check ck_gift_card_value of table gift_card is missing" in found
    assert "gift: column gift_card.value_minor: nullable is True, the models say False" in found
    assert "gift: column gift_card.value_minor: type is VARCHAR()" in found


def test_tables_of_a_removed_plugin_and_of_strangers_are_left_out(
    database: Database, registry_of: RegistryMaker, gift: ModuleType, run: Callable[..., None]
) -> None:
    upgrade(database, registry_of(gift))
    run("CREATE TABLE spreadsheet (id INTEGER)")

    assert check(database, registry_of()) == []
