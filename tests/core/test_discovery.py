"""Finding plugins: installed ones by entry point, local ones by file; imports only what is on."""

import sys
from pathlib import Path
from typing import Any

import pytest

from crmkit import PluginError, Settings
from crmkit.discovery import installed, load_file, load_installed, local_files
from crmkit.plugin_loading import load_plugins
from crmkit.plugins import PluginRegistry

PLUGIN = """
from sqlmodel import Field, SQLModel
from crmkit import Plugin, hookimpl

plugin = Plugin("{name}", "{version}", "A file.")

class Visit(SQLModel, table=True):
    __tablename__ = "{table}"
    id: int = Field(primary_key=True)

@hookimpl
def register_models():
    return [Visit]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give an empty plugins folder of a data directory."""
    path = tmp_path / "plugins"
    path.mkdir()
    return path


def write(folder: Path, name: str, text: str = PLUGIN, version: str = "1", **fields: str) -> Path:
    path = folder / f"{name}.py"
    values = {"name": name, "table": f"{name}_visit", "version": version, **fields}
    path.write_text(text.format(**values), encoding="utf-8")
    return path


def load(folder: Path, *names: str, skip_broken: bool = False, **options: Any) -> PluginRegistry:
    settings = Settings.load(folder.parent, plugins=names, **options)
    return load_plugins(settings, skip_broken=skip_broken)


def versions(registry: PluginRegistry) -> dict[str, str]:
    return {each.name: each.manifest.version for each in registry.plugins if each.name != "core"}


def install(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, text: str
) -> None:
    """Put a distribution with one entry point on the import path."""
    site = folder.parent / f"site-{name}-{value}"
    info = site / f"{value}-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {value}\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[crmkit]\n{name} = {value}\n")
    (site / f"{value}.py").write_text(text)
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.delitem(sys.modules, value, raising=False)


MANIFEST = "from crmkit import Plugin\nplugin = Plugin({name!r}, '1', 'Installed.')\n"


def test_the_built_in_plugin_is_found_by_its_entry_point() -> None:
    assert installed()["loyalty"] == "crmkit_loyalty"


def test_an_installed_plugin_is_imported_only_if_it_is_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(folder, monkeypatch, "ant", "ant_plugin", MANIFEST.format(name="ant"))
    install(folder, monkeypatch, "bee", "bee_plugin", "raise SystemExit(0)")

    registry = load(folder, "ant")

    assert versions(registry) == {"ant": "1"}
    assert registry["ant"].origin == "module ant_plugin"
    assert "bee_plugin" not in sys.modules


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("raise SystemExit(0)", "cannot be imported: SystemExit: 0"),
        ("import no_such_module", "cannot be imported: ModuleNotFoundError"),
        ("def", "cannot be imported: SyntaxError"),
        ("", "module ant_plugin defines no manifest"),
        (MANIFEST.format(name="bee"), "its manifest says name='bee'; they must agree"),
    ],
)
def test_an_installed_plugin_that_cannot_be_used_stops_the_start(
    folder: Path, monkeypatch: pytest.MonkeyPatch, text: str, reason: str
) -> None:
    install(folder, monkeypatch, "ant", "ant_plugin", text)

    with pytest.raises(PluginError) as stopped:
        load(folder, "ant")
    aside = load(folder, "ant", skip_broken=True)

    assert reason in str(stopped.value)
    assert stopped.value.plugin == "ant"
    assert (versions(aside), list(aside.broken)) == ({}, ["ant"])


def test_a_plugin_that_is_on_but_not_installed_stops_the_start() -> None:
    with pytest.raises(PluginError, match=r"'ant'.*not installed \(installed: .*loyalty"):
        load_installed("ant")


def test_two_distributions_with_one_plugin_name_are_both_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for value in ("ant_one", "ant_two"):
        install(folder, monkeypatch, "ant", value, MANIFEST.format(name="ant"))

    with pytest.raises(PluginError, match="provided by both ant_one and ant_two"):
        load(folder, "ant")


def test_local_files_are_on_unless_switched_off(folder: Path) -> None:
    for name in ("ant", "bee", "_draft"):
        write(folder, name)
    (folder / "notes.txt").write_text("not a plugin")

    assert versions(load(folder)) == {"ant": "1", "bee": "1"}
    assert versions(load(folder, plugins_disabled=["bee"])) == {"ant": "1"}
    assert [path.stem for path in local_files(folder)] == ["ant", "bee"]
    assert list(local_files(folder / "none")) == []


def test_an_edited_file_is_read_again_however_quick_the_edit(folder: Path) -> None:
    seen = []
    for version in "123":
        write(folder, "ant", version=version)
        registry = load(folder)
        seen += [versions(registry)["ant"], registry["ant"].models[0].__tablename__]

    assert seen == ["1", "ant_visit", "2", "ant_visit", "3", "ant_visit"]
    assert not (folder / "__pycache__").exists()


def test_an_unchanged_file_is_not_run_again(folder: Path) -> None:
    write(folder, "ant")

    first, second = load(folder), load(folder)

    assert first["ant"].models == second["ant"].models


def test_editing_one_file_leaves_the_tables_of_others_alone(folder: Path) -> None:
    write(folder, "ant")
    write(folder, "ant_farm")
    before = load(folder)["ant_farm"].models

    write(folder, "ant", version="2")
    after = load(folder)

    assert after["ant_farm"].models == before
    assert "ant_farm_visit" in before[0].metadata.tables


def test_a_removed_file_is_gone_and_the_others_stay(folder: Path) -> None:
    ant = write(folder, "ant")
    write(folder, "bee")
    load(folder)

    ant.unlink()

    assert versions(load(folder)) == {"bee": "1"}


def test_the_same_file_name_in_two_folders_makes_two_plugins(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "plugins"
    other.mkdir(parents=True)
    write(folder, "ant")
    write(other, "ant", version="2")

    assert versions(load(folder)) == {"ant": "1"}
    assert versions(load(other)) == {"ant": "2"}
    assert versions(load(folder)) == {"ant": "1"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import sys\nsys.exit(0)", "SystemExit: 0"),
        ("1 / 0", "ZeroDivisionError"),
        ("def", "SyntaxError"),
        ("\x00", "null bytes"),
        ("", "defines no manifest"),
        ("from crmkit import Plugin\nplugin = Plugin('Ant', '1', '')", "plugin name 'Ant'"),
        ("from crmkit import Plugin\nplugin = Plugin('bee', '1', '')", "they must agree"),
    ],
)
def test_a_broken_file_is_named_and_can_be_put_aside(folder: Path, text: str, reason: str) -> None:
    (folder / "ant.py").write_text(text)
    write(folder, "bee")

    with pytest.raises(PluginError, match=reason) as stopped:
        load(folder)
    aside = load(folder, skip_broken=True)

    assert stopped.value.plugin == "ant"
    assert (versions(aside), list(aside.broken)) == ({"bee": "1"}, ["ant"])


NO_KEY = "class Bad(SQLModel, table=True):\n    __tablename__ = 'ant_bad'\n    x: int"


@pytest.mark.parametrize("end", ["1 / 0", NO_KEY])
def test_a_broken_file_can_be_mended_without_a_restart(folder: Path, end: str) -> None:
    write(folder, "ant", PLUGIN + end)
    for _ in range(2):
        with pytest.raises(PluginError):
            load(folder)

    write(folder, "ant", version="2")

    assert versions(load(folder)) == {"ant": "2"}


def test_a_folder_named_like_a_plugin_is_a_broken_plugin(folder: Path) -> None:
    (folder / "ant.py").mkdir()

    with pytest.raises(PluginError, match=r"'ant': .*ant\.py cannot be read"):
        load_file(folder / "ant.py")


@pytest.mark.parametrize(
    ("table", "owner"),
    [("customer", r"crmkit\.models\.customers"), ("ant_visit", r"the plugin file ant\.py")],
)
def test_a_file_that_takes_a_table_names_the_other_owner(
    folder: Path, table: str, owner: str
) -> None:
    write(folder, "ant")
    write(folder, "bee", table=table)

    with pytest.raises(PluginError, match=f"'bee': its table '{table}' is already .* by {owner}"):
        load(folder)
