"""A plugin with one table that refers to core, in versions that a test can choose."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from crmkit import Migration, Plugin, hookimpl
from crmkit.database import Database
from crmkit.plugin_loading import load_plugins
from crmkit.plugins import PluginRegistry
from crmkit.settings import Settings

PluginMaker = Callable[..., ModuleType]
RegistryMaker = Callable[..., PluginRegistry]


class GiftCard(SQLModel, table=True):
    __tablename__ = "gift_card"
    __table_args__ = (
        sa.CheckConstraint("value_minor > 0", name="ck_gift_card_value"),
        sa.Index("ix_gift_card_customer", "customer_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    customer_id: str | None = Field(
        default=None, sa_column=sa.Column(sa.Uuid, sa.ForeignKey("customer.id"))
    )
    value_minor: int = Field(sa_type=sa.BigInteger)


def _make_card(op: Any) -> None:
    op.create_table(
        "gift_card",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("customer_id", sa.Uuid(), sa.ForeignKey("customer.id")),
        sa.CheckConstraint("id > 0", name="ck_gift_card_id"),
    )
    op.create_index("ix_gift_card_customer", "gift_card", ["customer_id"])


def _add_value(op: Any) -> None:
    with op.batch_alter_table("gift_card") as table:
        table.add_column(sa.Column("value_minor", sa.BigInteger(), nullable=False))
        table.drop_constraint("ck_gift_card_id", type_="check")
        table.create_check_constraint("ck_gift_card_value", "value_minor > 0")


def _drop_value(op: Any) -> None:
    with op.batch_alter_table("gift_card") as table:
        table.drop_constraint("ck_gift_card_value", type_="check")
        table.create_check_constraint("ck_gift_card_id", "id > 0")
        table.drop_column("value_minor")


GIFT_STEPS = (
    Migration("first", _make_card, lambda op: op.drop_table("gift_card")),
    Migration("second", _add_value, _drop_value),
)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Give an empty database."""
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def tables(database: Database) -> Callable[[], set[str]]:
    """Give a function that lists the tables of the database."""

    def names() -> set[str]:
        with database.read() as session:
            return set(sa.inspect(session.connection()).get_table_names())

    return names


@pytest.fixture
def run(database: Database) -> Callable[..., None]:
    """Give a function that runs SQL behind crmkit's back."""

    def execute(*statements: str) -> None:
        with database.write() as session:
            for statement in statements:
                session.connection().exec_driver_sql(statement)

    return execute


@pytest.fixture
def scalar(database: Database) -> Callable[[str], Any]:
    """Give a function that returns the one value a query gives."""

    def value(query: str) -> Any:
        with database.read() as session:
            return session.connection().exec_driver_sql(query).scalar_one()

    return value


@pytest.fixture
def plugin() -> PluginMaker:
    """Give a function that makes a plugin out of migrations, models and requirements."""

    def make(
        name: str,
        migrations: str | Sequence[Migration] | None,
        *,
        models: Sequence[type[SQLModel]] = (),
        requires: Sequence[str] = (),
    ) -> ModuleType:
        module = ModuleType(name)
        vars(module)["plugin"] = Plugin(name, version="1", summary="", requires=requires)
        vars(module)["register_models"] = hookimpl(lambda: models)
        vars(module)["register_migrations"] = hookimpl(lambda: migrations)
        return module

    return make


@pytest.fixture
def gift_steps() -> tuple[Migration, ...]:
    """Give the two steps of the gift plugin."""
    return GIFT_STEPS


@pytest.fixture
def gift(plugin: PluginMaker) -> ModuleType:
    """Give a single-file plugin with one table that refers to core."""
    return plugin("gift", GIFT_STEPS, models=[GiftCard])


@pytest.fixture
def registry_of(tmp_path: Path) -> RegistryMaker:
    """Give a function that switches on core and the given plugins."""

    def make(*plugins: ModuleType) -> PluginRegistry:
        return load_plugins(Settings(data_dir=tmp_path, plugins=()), plugins)

    return make
