import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa

from crmkit import Migration, PluginError
from crmkit.database import Database
from crmkit.errors import DatabaseBusy
from crmkit.migrating import pending, upgrade
from crmkit.migrating.turns import migrating
from crmkit.plugins import PluginRegistry

PluginMaker = Callable[..., ModuleType]
RegistryMaker = Callable[..., PluginRegistry]


def make_pair(op: Any) -> None:
    op.create_table("pair_parent", sa.Column("id", sa.Integer(), primary_key=True))
    parent = sa.ForeignKey("pair_parent.id", ondelete="CASCADE")
    op.create_table("pair_child", sa.Column("parent_id", sa.Integer(), parent))
    op.execute("INSERT INTO pair_parent VALUES (1)")
    op.execute("INSERT INTO pair_child VALUES (1)")


def nothing(op: Any) -> None:
    pass


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_rebuilding_a_table_keeps_the_rows_that_refer_to_it(
    database: Database,
    registry_of: RegistryMaker,
    plugin: PluginMaker,
    scalar: Callable[[str], Any],
) -> None:
    def rebuild(op: Any) -> None:
        with op.batch_alter_table("pair_parent", recreate="always") as table:
            table.add_column(sa.Column("word", sa.String()))

    steps = [Migration("first", make_pair, nothing), Migration("second", rebuild, nothing)]
    upgrade(database, registry_of(plugin("pair", steps)))

    assert scalar("SELECT count(*) FROM pair_child") == 1


def test_foreign_keys_are_on_again_after_migrating(
    database: Database, registry_of: RegistryMaker, gift: ModuleType, run: Callable[..., None]
) -> None:
    upgrade(database, registry_of(gift))

    with pytest.raises(sa.exc.IntegrityError):
        run(f"INSERT INTO gift_card VALUES (1, '{'0' * 32}', 5)")


@pytest.mark.parametrize(
    "harm",
    ["DROP TABLE pair_parent", "INSERT INTO pair_child VALUES (7)"],
    ids=["missing table", "missing row"],
)
def test_a_step_that_breaks_a_reference_is_undone(
    database: Database,
    registry_of: RegistryMaker,
    plugin: PluginMaker,
    harm: str,
    scalar: Callable[[str], Any],
) -> None:
    first = Migration("first", make_pair, nothing)
    harmful = Migration("second", lambda op: op.execute(harm), nothing)
    upgrade(database, registry_of(plugin("pair", [first])))

    with pytest.raises(PluginError, match="plugin 'pair'"):
        upgrade(database, registry_of(plugin("pair", [first, harmful])))

    assert scalar("SELECT count(*) FROM pair_parent, pair_child") == 1


UPGRADER = """
import sys
from pathlib import Path
from crmkit.database import Database
from crmkit.migrating import upgrade
from crmkit.plugin_loading import load_plugins
from crmkit.settings import Settings

registry = load_plugins(Settings(data_dir=Path(sys.argv[2]), plugins=()))
print(len(upgrade(Database(sys.argv[1]), registry)))
"""


def waiting_for_the_lock(database: Database) -> int:
    with database.read() as session:
        sql = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        return int(session.connection().exec_driver_sql(sql).scalar_one())


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_two_processes_that_upgrade_at_once_run_each_step_once(
    database: Database, registry_of: RegistryMaker, tmp_path: Path, database_url: str
) -> None:
    command = [sys.executable, "-c", UPGRADER, database_url, str(tmp_path)]

    with migrating(database):
        both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        deadline = time.monotonic() + 60
        while waiting_for_the_lock(database) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
    answers = sorted(process.communicate(timeout=60)[0].strip() for process in both)

    assert answers == ["0", "5"]
    assert pending(database, registry_of()) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_file_that_another_process_writes_is_not_migrated(
    database: Database, registry_of: RegistryMaker, database_url: str
) -> None:
    other = Database(database_url)
    other.claim()

    with pytest.raises(DatabaseBusy):
        upgrade(database, registry_of())

    other.close()
    assert len(upgrade(database, registry_of())) == 5
