"""Finding plugins: installed ones by entry point, local ones by file. Imports only what is on."""

import hashlib
import importlib
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

from sqlalchemy import Table
from sqlalchemy.exc import InvalidRequestError
from sqlmodel import SQLModel

from crmkit.errors import PluginError
from crmkit.manifest import Plugin

GROUP = "crmkit"
_LOCAL_MODULE = re.compile(r"crmkit_local_(.+)_[0-9a-f]{32}")
_TABLE_TAKEN = re.compile(r"Table '([^']+)' is already defined")


class _LocalModule(ModuleType):
    """What a local plugin file became.

    Attributes:
        digest: of the file's bytes and place.
        tables: those that running the file made.
    """

    digest: str = ""
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """A plugin that was found and imported.

    Attributes:
        manifest: what it says about itself.
        implementation: the module, or object, that holds its hook implementations.
        origin: where it came from, for people.
        is_built_in: whether its code comes with crmkit.
    """

    manifest: Plugin
    implementation: Any
    origin: str
    is_built_in: bool = False


def installed() -> dict[str, str]:
    """Return the installed plugins: name to the module it lives in. Imports nothing."""
    return {entry.name: entry.value for entry in entry_points(group=GROUP)}


def local_files(folder: Path) -> Iterator[Path]:
    """Yield the plugin files of a folder, by name; those starting with `_` are left out."""
    if folder.is_dir():
        yield from sorted(path for path in folder.glob("*.py") if not path.name.startswith("_"))


def load_installed(name: str) -> Found:
    """Import an installed plugin.

    Raises:
        PluginError: it is not installed, or cannot be imported.
    """
    modules = installed()
    rivals = sorted({entry.value for entry in entry_points(group=GROUP, name=name)})
    if len(rivals) > 1:
        raise PluginError(name, f"is provided by both {rivals[0]} and {rivals[1]}; uninstall one")
    if name not in modules:
        known = ", ".join(sorted(modules)) or "none"
        raise PluginError(name, f"is switched on but not installed (installed: {known})")
    try:
        module = importlib.import_module(modules[name])
    except (Exception, SystemExit) as error:
        raise _import_error(name, error) from error
    return describe(
        module, f"module {modules[name]}", expected=name, is_built_in=_comes_with_crmkit(name)
    )


def load_file(path: Path) -> Found:
    """Import a local plugin file; the file's name is the plugin's.

    Raises:
        PluginError: it cannot be imported, or its manifest is missing or misnamed.
    """
    try:
        source = path.read_bytes()
    except OSError as error:
        raise PluginError(path.stem, f"{path} cannot be read: {error.strerror}") from error
    digest = hashlib.sha256(source + bytes(path.absolute())).hexdigest()
    module = _loaded(path.stem, digest) or _run(path, source, digest)
    return describe(module, f"file {path}", expected=path.stem)


def describe(
    implementation: Any, origin: str, *, expected: str | None = None, is_built_in: bool = False
) -> Found:
    """Read the manifest of a plugin's module or object.

    Raises:
        PluginError: there is none, or it has another name than the one it was found under.
    """
    manifest = getattr(implementation, "plugin", None)
    name = expected or str(getattr(implementation, "__name__", type(implementation).__name__))
    if not isinstance(manifest, Plugin):
        raise PluginError(name, f"{origin} defines no manifest; write plugin = Plugin(name=...)")
    if expected is not None and manifest.name != expected:
        raise PluginError(expected, f"its manifest says name={manifest.name!r}; they must agree")
    return Found(manifest, implementation, origin, is_built_in)


def _comes_with_crmkit(name: str) -> bool:
    entries = entry_points(group=GROUP, name=name)
    return all(each.dist is not None and each.dist.name == "crmkit" for each in entries)


def _import_error(name: str, error: BaseException) -> PluginError:
    taken = _TABLE_TAKEN.match(str(error)) if isinstance(error, InvalidRequestError) else None
    if taken is not None:
        owner = _module_of(taken[1])
        return PluginError(name, f"its table {taken[1]!r} is already defined by {owner}; rename it")
    return PluginError(name, f"cannot be imported: {type(error).__name__}: {error}")


def _module_of(table: str) -> str:
    """Return where a table is defined, in the words a person would use."""
    waiting: list[type] = [SQLModel]
    while waiting:
        model = waiting.pop()
        if getattr(model, "__table__", None) is SQLModel.metadata.tables[table]:
            local = _LOCAL_MODULE.fullmatch(model.__module__)
            return f"the plugin file {local[1]}.py" if local else model.__module__
        waiting += model.__subclasses__()
    return "another module"


def _local_modules(stem: str) -> Iterator[_LocalModule]:
    """Yield every version of a local file that this process has loaded."""
    for name, module in list(sys.modules.items()):
        local = _LOCAL_MODULE.fullmatch(name)
        if local is not None and local[1] == stem and isinstance(module, _LocalModule):
            yield module


def _loaded(stem: str, digest: str) -> ModuleType | None:
    """Return the module that was made from the same bytes, with its tables, if there is one."""
    for module in _local_modules(stem):
        if module.digest == digest:
            _forget_tables(stem)
            for table in module.tables:
                SQLModel.metadata._add_table(table.name, table.schema, table)
            return module
    return None


def _run(path: Path, source: bytes, digest: str) -> ModuleType:
    """Run a local file as a new module, in place of every earlier version of it."""
    _forget_tables(path.stem)
    others = set(SQLModel.metadata.tables.values())
    # Never the same name twice: SQLAlchemy keeps the classes of a file that failed half way.
    module = _LocalModule(f"crmkit_local_{path.stem}_{uuid4().hex}")
    module.__file__, module.digest = str(path), digest
    sys.modules[module.__name__] = module
    try:
        exec(compile(source, str(path), "exec"), module.__dict__)  # noqa: S102 a plugin is code the retailer trusts
    except (Exception, SystemExit) as error:
        problem = _import_error(path.stem, error)
        del sys.modules[module.__name__]
        module.tables = tuple(set(SQLModel.metadata.tables.values()) - others)
        _take_out(module)
        raise problem from error
    module.tables = tuple(set(SQLModel.metadata.tables.values()) - others)
    return module


def _forget_tables(stem: str) -> None:
    """Take the tables of earlier versions of a local file out of SQLModel's registry."""
    for module in _local_modules(stem):
        _take_out(module)


def _take_out(module: _LocalModule) -> None:
    for table in module.tables:
        if SQLModel.metadata.tables.get(table.name) is table:
            SQLModel.metadata.remove(table)
