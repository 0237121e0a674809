"""What every installed plugin must keep, built-in or a stranger's."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from itertools import chain, combinations
from pathlib import Path
from types import ModuleType

import pytest

from crmkit import CrmkitError, Outcome, Plugin, discovery, hookspecs
from crmkit.migrating import check, current, downgrade, upgrade
from crmkit.plugin_loading import load_plugins
from crmkit.settings import Settings
from crmkit.testing import CrmFactory, sale
from crmkit_schema.runtime import ComposedSchema

INSTALLED = discovery.installed()
each_plugin = pytest.mark.parametrize("name", sorted(INSTALLED))


def _modules(name: str) -> Iterator[ModuleType]:
    module = import_module(INSTALLED[name])
    yield module
    for found in pkgutil.walk_packages(getattr(module, "__path__", ()), f"{module.__name__}."):
        if ".migrations" not in found.name:
            yield import_module(found.name)


def _with_what_it_requires(name: str) -> list[str]:
    needed = import_module(INSTALLED[name]).plugin.requires
    return [*chain.from_iterable(map(_with_what_it_requires, needed)), name]


@each_plugin
def test_it_has_a_readme_of_one_screen_and_is_typed(name: str) -> None:
    folder = Path(str(import_module(INSTALLED[name]).__file__)).parent

    assert 5 <= len((folder / "README.md").read_text(encoding="utf-8").splitlines()) <= 80
    assert (folder / "py.typed").exists()


@each_plugin
def test_its_manifest_says_what_it_is(name: str) -> None:
    manifest = import_module(INSTALLED[name]).plugin

    assert isinstance(manifest, Plugin)
    assert manifest.name == name
    assert manifest.summary.endswith(".")
    assert all(each.description.endswith(".") for each in manifest.permissions)


@each_plugin
def test_its_errors_belong_to_the_family_and_have_codes_of_their_own(name: str) -> None:
    errors = {
        each
        for module in _modules(name)
        for each in vars(module).values()
        if isinstance(each, type)
        and issubclass(each, Exception)
        and each.__module__.startswith(INSTALLED[name])
    }

    assert all(issubclass(each, CrmkitError) for each in errors)
    codes = [vars(each)["code"] for each in errors]
    assert len(set(codes)) == len(codes)
    assert all(code.isupper() for code in codes)


@each_plugin
def test_its_tables_and_permissions_carry_its_name(name: str, tmp_path: Path) -> None:
    settings = Settings.load(tmp_path, plugins=tuple(_with_what_it_requires(name)))
    loaded = load_plugins(settings)[name]

    tables = [str(model.__tablename__) for model in loaded.models]
    assert all(table == name or table.startswith(f"{name}_") for table in tables)
    assert all(each.name.startswith(f"{name}.") for each in loaded.manifest.permissions)


@each_plugin
def test_it_implements_no_hook_that_there_is_not(name: str) -> None:
    marked = {
        hook
        for hook, each in vars(import_module(INSTALLED[name])).items()
        if hasattr(each, "crmkit_impl")
    }

    assert marked
    assert marked <= {
        hook for hook, each in vars(hookspecs).items() if hasattr(each, "crmkit_spec")
    }


@each_plugin
def test_it_works_alone_with_core(name: str, crm_factory: CrmFactory) -> None:
    crm = crm_factory(*_with_what_it_requires(name))

    (result,) = crm.record_transactions([sale("1", customer="ann")], create_missing_customers=True)

    assert result.outcome is Outcome.TAKEN
    assert ComposedSchema(crm).composition.contributed(name)
    for _, rebuilder in crm.registry.rebuilders:
        with crm.read() as session:
            assert list(rebuilder.check(session)) == []


@each_plugin
def test_its_migrations_go_up_down_and_up_again(name: str, crm_factory: CrmFactory) -> None:
    crm = crm_factory(*_with_what_it_requires(name))

    down = downgrade(crm.database, crm.registry, name, "base")
    up = upgrade(crm.database, crm.registry)

    assert [step.revision for step in down] == [step.revision for step in reversed(up)]
    assert check(crm.database, crm.registry) == []


@each_plugin
def test_it_disappears_without_a_trace_when_it_is_off(name: str, crm_factory: CrmFactory) -> None:
    needed = _with_what_it_requires(name)
    untouched = ComposedSchema(crm_factory(*needed[:-1])).sdl()
    with crm_factory(*needed) as before:
        before.record_transactions([sale("1", customer="ann")], create_missing_customers=True)

    crm = crm_factory(*needed[:-1])
    (result,) = crm.record_transactions([sale("2", customer="ann")])

    assert result.outcome is Outcome.TAKEN
    assert ComposedSchema(crm).sdl() == untouched
    assert [each.plugin for each in current(crm.database, crm.registry) if each.is_orphan] == [name]


def _subsets() -> list[tuple[str, ...]]:
    """Every subset of the installed plugins that has what it requires."""
    sizes = range(len(INSTALLED) + 1)
    some = chain.from_iterable(combinations(sorted(INSTALLED), size) for size in sizes)
    return [
        each for each in some if {n for p in each for n in _with_what_it_requires(p)} == {*each}
    ]


@pytest.mark.parametrize("names", _subsets(), ids="+".join)
def test_every_subset_builds_a_schema_that_is_the_same_each_time(
    names: tuple[str, ...], crm_factory: CrmFactory
) -> None:
    texts = {ComposedSchema(crm_factory(*order)).sdl() for order in (names, names[::-1])}

    assert len(texts) == 1
