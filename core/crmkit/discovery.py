"""Finding plugins: installed ones by entry point, local ones by file. Imports only what is on."""

import hashlib
import importlib.util
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from importlib.metadata import entry_points
from pathlib import Path
from types import CodeType
from typing import Any

from sqlalchemy.exc import InvalidRequestError
from sqlmodel import SQLModel

from crmkit.errors import PluginError
from crmkit.manifest import Plugin

GROUP = "crmkit"
_LOCAL_MODULE = re.compile(r"crmkit_local_(.+)_[0-9a-f]{12}")
_TABLE_TAKEN = re.compile(r"Table '([^']+)' is already defined")


class _Uncached(SourceFileLoader):
    """Reads the file itself: bytecode files cannot tell two edits of one second apart."""

    def get_code(self, fullname: str) -> CodeType:
        """Compile what the file says now."""
        return self.source_to_code(self.get_data(self.path), self.path)


@dataclass(frozen=True, slots=True)
class Found:
    """A plugin that was found and imported.

    Attributes:
        manifest: what it says about itself.
        implementation: the module, or object, that holds its hook implementations.
        origin: where it came from, for people.
    """

    manifest: Plugin
    implementation: Any
    origin: str


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
    return describe(module, f"module {modules[name]}", expected=name)


def load_file(path: Path) -> Found:
    """Import a local plugin file; the file's name is the plugin's.

    Raises:
        PluginError: it cannot be imported, or its manifest is missing or misnamed.
    """
    try:
        source = path.read_bytes()
    except OSError as error:
        raise PluginError(path.stem, f"{path} cannot be read: {error.strerror}") from error
    digest = hashlib.sha256(source + bytes(path.absolute())).hexdigest()[:12]
    module_name = f"crmkit_local_{path.stem}_{digest}"
    module = sys.modules.get(module_name)
    if module is None:
        _forget_tables(path.stem)
        loader = _Uncached(module_name, str(path))
        spec = importlib.util.spec_from_file_location(module_name, path, loader=loader)
        if spec is None or spec.loader is None:
            raise PluginError(path.stem, f"{path} is not a Python file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[module_name] = module
        try:
            spec.loader.exec_module(module)
        except (Exception, SystemExit) as error:
            # While the tables of a half imported file are still known by their owner.
            problem = _import_error(path.stem, error)
            del sys.modules[module_name]
            _forget_tables(path.stem)
            raise problem from error
    return describe(module, f"file {path}", expected=path.stem)


def describe(implementation: Any, origin: str, *, expected: str | None = None) -> Found:
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
    return Found(manifest, implementation, origin)


def _import_error(name: str, error: BaseException) -> PluginError:
    taken = _TABLE_TAKEN.match(str(error)) if isinstance(error, InvalidRequestError) else None
    if taken is not None:
        owner = _module_of(taken[1])
        return PluginError(name, f"its table {taken[1]!r} is already defined by {owner}; rename it")
    return PluginError(name, f"cannot be imported: {type(error).__name__}: {error}")


def _module_of(table: str) -> str:
    """Return where a table is defined, in the words a person would use."""
    modules = [
        mapper.class_.__module__
        for mapper in SQLModel._sa_registry.mappers
        if mapper.local_table is SQLModel.metadata.tables.get(table)
    ]
    module = modules[0] if modules else "another module"
    local = _LOCAL_MODULE.fullmatch(module)
    return f"the plugin file {local[1]}.py" if local else module


def _forget_tables(stem: str) -> None:
    """Take the tables of an earlier version of a local file out of SQLModel's registry."""
    for mapper in list(SQLModel._sa_registry.mappers):
        module = mapper.class_.__module__
        local = _LOCAL_MODULE.fullmatch(module)
        if local is not None and local[1] == stem:
            SQLModel.metadata.remove(mapper.local_table)  # type: ignore[arg-type]
            sys.modules.pop(module, None)
