"""Finding plugins: installed ones by entry point, local ones by file. Imports only what is on."""

import hashlib
import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlmodel import SQLModel

from crmkit.errors import PluginError
from crmkit.manifest import Plugin

GROUP = "crmkit"


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
    if name not in modules:
        known = ", ".join(sorted(modules)) or "none"
        raise PluginError(name, f"is switched on but not installed (installed: {known})")
    try:
        module = importlib.import_module(modules[name])
    except BaseException as error:
        raise _import_error(name, error) from error
    return describe(module, f"module {modules[name]}", expected=name)


def load_file(path: Path) -> Found:
    """Import a local plugin file; the file's name is the plugin's.

    Raises:
        PluginError: it cannot be imported, or its manifest is missing or misnamed.
    """
    source = path.read_bytes()
    digest = hashlib.sha256(source + bytes(path.absolute())).hexdigest()[:12]
    module_name = f"crmkit_local_{path.stem}_{digest}"
    module = sys.modules.get(module_name)
    if module is None:
        _forget_tables(f"crmkit_local_{path.stem}_")
        spec = importlib.util.spec_from_file_location(module_name, path)
        if spec is None or spec.loader is None:
            raise PluginError(path.stem, f"{path} is not a Python file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[module_name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException as error:
            del sys.modules[module_name]
            _forget_tables(module_name)
            raise _import_error(path.stem, error) from error
    return describe(module, f"file {path}", expected=path.stem)


def describe(implementation: Any, origin: str, *, expected: str | None = None) -> Found:
    """Read the manifest of a plugin's module or object.

    Raises:
        PluginError: there is none, or it has another name than the one it was found under.
    """
    manifest = getattr(implementation, "plugin", None)
    name = expected or getattr(implementation, "__name__", type(implementation).__name__)
    if not isinstance(manifest, Plugin):
        raise PluginError(name, f"{origin} defines no manifest; write plugin = Plugin(name=...)")
    if expected is not None and manifest.name != expected:
        raise PluginError(expected, f"its manifest says name={manifest.name!r}; they must agree")
    return Found(manifest, implementation, origin)


def _import_error(name: str, error: BaseException) -> PluginError:
    return PluginError(name, f"cannot be imported: {type(error).__name__}: {error}")


def _forget_tables(module_prefix: str) -> None:
    """Take the tables of an earlier version of a local file out of SQLModel's registry."""
    stale = [
        mapper
        for mapper in SQLModel._sa_registry.mappers
        if mapper.class_.__module__.startswith(module_prefix)
    ]
    for mapper in stale:
        SQLModel.metadata.remove(mapper.local_table)  # type: ignore[arg-type]
        sys.modules.pop(mapper.class_.__module__, None)


def is_module(implementation: Any) -> bool:
    """Tell whether a plugin is a module, as opposed to an object made by a test."""
    return isinstance(implementation, ModuleType)
