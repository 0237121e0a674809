import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from uuid import uuid4

import pytest

from crmkit import Migration, PluginError
from crmkit.migrating.chains import load_chains
from crmkit.plugins import PluginRegistry

PluginMaker = Callable[..., ModuleType]
RegistryMaker = Callable[..., PluginRegistry]

HEADER = "revision = {0!r}\ndown_revision = {1!r}\ndef upgrade(): pass\ndef downgrade(): pass\n"


def step(revision: str) -> Migration:
    return Migration(revision, lambda op: None, lambda op: None)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    def make(**files: str) -> str:
        name = f"sample_{uuid4().hex}"
        folder = tmp_path / "site" / name / "migrations" / "versions"
        folder.mkdir(parents=True)
        for file, text in files.items():
            (folder / f"{file}.py").write_text(text)
        monkeypatch.syspath_prepend(str(tmp_path / "site"))
        return f"{name}:migrations"

    return make


def test_inline_steps_run_in_list_order(registry_of: RegistryMaker, plugin: PluginMaker) -> None:
    chains = load_chains(registry_of(plugin("gift", [step("b"), step("a")])))

    assert [script.revision for script in chains[1].scripts] == ["b", "a"]


def test_files_run_in_the_order_of_what_they_follow(
    registry_of: RegistryMaker, plugin: PluginMaker, package: Callable[..., str]
) -> None:
    address = package(
        _skipped="1 / 0", a=HEADER.format("late", "early"), b=HEADER.format("early", None)
    )

    chains = load_chains(registry_of(plugin("gift", address)))

    assert [script.revision for script in chains[1].scripts] == ["early", "late"]


def test_files_are_found_inside_a_zipped_package(
    registry_of: RegistryMaker, plugin: PluginMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "wheel.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("sample_zipped/__init__.py", "")
        packed.writestr("sample_zipped/migrations/versions/1.py", HEADER.format("only", None))
    monkeypatch.syspath_prepend(str(archive))

    chains = load_chains(registry_of(plugin("gift", "sample_zipped:migrations")))

    assert chains[1].head == "only"


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"a": HEADER.format("a", None), "b": HEADER.format("b", None)}, "both follow None"),
        ({"a": HEADER.format("a", "gone")}, "follows 'gone', which leads nowhere"),
        ({"a": HEADER.format("a", "b"), "b": HEADER.format("b", "a")}, "leads nowhere"),
        ({"a": HEADER.format("a" * 33, None)}, "use 1 to 32 letters"),
        ({"a": HEADER.format("base", None)}, "has the revision 'base'"),
        ({"a": HEADER.format("a", ("b", "c"))}, "must follow one revision or None"),
        ({"a": HEADER.format("a", None) + "depends_on = 'x'"}, "depends_on"),
        ({"a": "revision = 'a'\ndown_revision = None\ndef upgrade(): pass"}, "no downgrade"),
        ({"a": "1 / 0"}, r"a\.py cannot be loaded: ZeroDivisionError"),
        ({"a": "raise SystemExit"}, r"a\.py cannot be loaded: SystemExit"),
    ],
)
def test_files_that_form_no_line_are_refused(
    registry_of: RegistryMaker,
    plugin: PluginMaker,
    package: Callable[..., str],
    files: dict[str, str],
    words: str,
) -> None:
    address = package(**files)

    with pytest.raises(PluginError, match=f"plugin 'gift': .*{words}"):
        load_chains(registry_of(plugin("gift", address)))


def test_whoever_interrupts_the_loading_of_a_file_stops_the_program(
    registry_of: RegistryMaker, plugin: PluginMaker, package: Callable[..., str]
) -> None:
    address = package(a="raise KeyboardInterrupt")

    with pytest.raises(KeyboardInterrupt):
        load_chains(registry_of(plugin("gift", address)))


def test_repeated_inline_revisions_are_refused(
    registry_of: RegistryMaker, plugin: PluginMaker
) -> None:
    with pytest.raises(PluginError, match="'a'"):
        load_chains(registry_of(plugin("gift", [step("a"), step("a")])))


@pytest.mark.parametrize("address", ["nowhere_at_all:migrations", "crmkit:nothing", "", ":x"])
def test_an_address_that_leads_nowhere_is_named(
    registry_of: RegistryMaker, plugin: PluginMaker, address: str
) -> None:
    with pytest.raises(PluginError, match="plugin 'gift': its migrations"):
        load_chains(registry_of(plugin("gift", address)))


def test_tables_without_migrations_are_refused(
    registry_of: RegistryMaker, gift: ModuleType
) -> None:
    del vars(gift)["register_migrations"]

    with pytest.raises(PluginError, match="plugin 'gift': owns tables, but has no hook"):
        load_chains(registry_of(gift))
