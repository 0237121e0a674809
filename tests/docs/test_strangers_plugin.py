"""The story that "Writing a plugin" tells: a file dropped in, used, and taken away again."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from crmkit import Actor, Crm, CustomerInput, Outcome, PluginError
from crmkit.migrating import check, current, pending
from crmkit.testing import CrmFactory, sale
from crmkit_schema.requests import GraphQLRequest
from crmkit_schema.runtime import ComposedSchema

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
OPTIONS = {"recall": {"skus": ["tea"]}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "plugins"
    made.mkdir()
    return made


def _customers(crm: Crm, fields: str) -> Any:
    admin = Actor("test", "admin", crm.roles["admin"])
    request = GraphQLRequest(f"{{ customers {{ nodes {{ {fields} }} }} }}")
    answer = ComposedSchema(crm).execute(request, admin)
    assert answer.errors == []
    return answer.data


def test_the_file_has_sixty_lines_at_most() -> None:
    assert len((EXAMPLES / "recall.py").read_text(encoding="utf-8").splitlines()) <= 60


def test_a_file_that_is_dropped_in_works_after_an_upgrade(
    crm_factory: CrmFactory, folder: Path
) -> None:
    before = crm_factory()
    before.upsert_customers([CustomerInput("till", "ann", display_name="Ann")])
    before.close()
    shutil.copy(EXAMPLES / "recall.py", folder)

    crm = crm_factory(plugin=OPTIONS)
    crm.record_transactions([sale("1", customer="ann")])

    answer = _customers(crm, "displayName recalls { sku isClosed }")
    recalls = [{"sku": "tea", "isClosed": False}]
    assert answer == {"customers": {"nodes": [{"displayName": "Ann", "recalls": recalls}]}}
    assert pending(crm.database, crm.registry) == []
    assert check(crm.database, crm.registry) == []


def test_a_file_that_is_taken_away_leaves_everything_else_working(
    crm_factory: CrmFactory, folder: Path
) -> None:
    untouched = ComposedSchema(crm_factory()).sdl()
    shutil.copy(EXAMPLES / "recall.py", folder)
    with crm_factory(plugin=OPTIONS) as before:
        before.upsert_customers([CustomerInput("till", "ann")])
    (folder / "recall.py").unlink()

    crm = crm_factory()
    (result,) = crm.record_transactions([sale("1", customer="ann")])

    assert result.outcome is Outcome.TAKEN
    assert ComposedSchema(crm).sdl() == untouched
    states = {each.plugin: each.is_orphan for each in current(crm.database, crm.registry)}
    assert states == {"core": False, "recall": True}


def test_a_failing_hook_undoes_the_sale_and_names_the_plugin(
    crm_factory: CrmFactory, folder: Path
) -> None:
    broken = (
        (EXAMPLES / "recall.py").read_text(encoding="utf-8").replace("line.sku for", "1 / 0 for")
    )
    (folder / "recall.py").write_text(broken, encoding="utf-8")
    crm = crm_factory(plugin=OPTIONS)

    with pytest.raises(PluginError, match="recall") as raised:
        crm.record_transactions([sale("1")])

    assert raised.value.plugin == "recall"
    with crm.read() as session:
        assert (
            session.connection().exec_driver_sql('SELECT count(*) FROM "transaction"').scalar() == 0
        )


def test_a_misspelt_setting_stops_the_start(crm_factory: CrmFactory, folder: Path) -> None:
    shutil.copy(EXAMPLES / "recall.py", folder)

    with pytest.raises(PluginError, match=r"plugin\.recall\.sku"):
        crm_factory(plugin={"recall": {"sku": ["tea"]}})


def test_two_plugins_with_one_name_for_a_field_clash_and_both_are_named(
    crm_factory: CrmFactory, folder: Path
) -> None:
    shutil.copy(EXAMPLES / "greeting.py", folder)
    rival = (EXAMPLES / "greeting.py").read_text(encoding="utf-8").replace('"greeting"', '"rival"')
    (folder / "rival.py").write_text(rival, encoding="utf-8")

    with pytest.raises(PluginError, match=r"'rival'.*Customer\.greeting.*'greeting'"):
        ComposedSchema(crm_factory())
