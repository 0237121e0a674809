"""Loading plugins: finding, ordering and configuring those that the settings switch on."""

import difflib
import graphlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from pydantic import BaseModel, ValidationError

from crmkit import builtin, discovery
from crmkit.discovery import Found
from crmkit.errors import PluginError, SettingsError
from crmkit.manifest import API_VERSION, Plugin
from crmkit.plugin_assembly import assemble
from crmkit.plugins import CORE, LoadedPlugin, PluginRegistry
from crmkit.settings import Settings, plugin_section
from crmkit.wrong_options import explain, got

_SHARED = ("timezone", "currency", "country")


def load_plugins(
    settings: Settings, extra: Iterable[Any] = (), *, skip_broken: bool = False
) -> PluginRegistry:
    """Find, check and order the plugins that the settings switch on.

    Args:
        extra: modules or objects with a manifest, on top of those found; for tests and
            applications that embed crmkit.
        skip_broken: put a plugin that cannot be used aside instead of raising.

    Raises:
        PluginError: a plugin cannot be used; the message is one sentence that names it.
    """
    extra = tuple(extra)
    _refuse_unknown_sections(settings, extra)
    broken: dict[str, str] = {}
    found: list[Found] = [discovery.describe(builtin, "crmkit itself", is_built_in=True)]
    loaders: list[Callable[[], Found]] = [
        *(lambda name=name: discovery.load_installed(name) for name in settings.plugins),
        *(
            lambda path=path: discovery.load_file(path)
            for path in discovery.local_files(settings.plugins_dir)
            if path.stem not in settings.plugins_disabled
        ),
        *(lambda item=item: discovery.describe(item, "the application") for item in extra),
    ]
    for load in loaders:
        with _putting_aside(broken, skip_broken):
            found.append(_not_core(load()))
    while True:
        try:
            return assemble([_configure(item, settings) for item in _ordered(found)], broken)
        except PluginError as error:
            if not skip_broken or error.plugin == CORE:
                raise
            broken[error.plugin] = error.reason
            found = [item for item in found if item.manifest.name != error.plugin]


def _not_core(item: Found) -> Found:
    if item.manifest.name == CORE:
        raise PluginError(CORE, f"is crmkit's own name, {item.origin} needs another")
    return item


@contextmanager
def _putting_aside(broken: dict[str, str], skip: bool) -> Iterator[None]:
    """Turn a plugin's failure into an entry of `broken`, if asked to."""
    try:
        yield
    except PluginError as error:
        if not skip:
            raise
        broken[error.plugin] = error.reason


def _ordered(found: Sequence[Found]) -> list[Found]:
    """Sort by `requires`, `optional` and name; refuse duplicates, gaps, cycles, wrong versions."""
    by_name: dict[str, Found] = {}
    for item in found:
        name = item.manifest.name
        if name in by_name:
            origins = f"{by_name[name].origin} and {item.origin}"
            raise PluginError(name, f"is found twice, as {origins}; remove or rename one")
        by_name[name] = item
        _check_api(item.manifest)
    for name, item in by_name.items():
        for needed in item.manifest.requires:
            if needed not in by_name:
                raise PluginError(name, f"requires plugin {needed!r}, which is not on")
    graph = graphlib.TopologicalSorter(
        {name: _first(item.manifest, by_name.keys()) for name, item in by_name.items()}
    )
    try:
        graph.prepare()
    except graphlib.CycleError as error:
        cycle = error.args[1]
        raise PluginError(cycle[0], f"requires itself: {' -> '.join(cycle)}") from None
    order: list[Found] = []
    while graph.is_active():
        ready = sorted(graph.get_ready())
        order += [by_name[name] for name in ready]
        graph.done(*ready)
    return order


def _first(manifest: Plugin, on: Set[str]) -> list[str]:
    """Return the plugins whose hooks run before one plugin's."""
    wanted = [name for name in manifest.optional if name in on]
    return [*manifest.requires, *wanted, *([CORE] if manifest.name != CORE else [])]


def _check_api(manifest: Plugin) -> None:
    try:
        fits = SpecifierSet(manifest.api).contains(API_VERSION)
    except InvalidSpecifier:
        raise PluginError(manifest.name, f"api={manifest.api!r} is not a version range") from None
    if not fits:
        raise PluginError(
            manifest.name,
            f"needs plugin API {manifest.api}, this crmkit has {API_VERSION}; "
            "install a version of the plugin, or of crmkit, that fits",
        )


def _configure(item: Found, settings: Settings) -> LoadedPlugin:
    manifest = item.manifest
    section = plugin_section(settings, manifest.name)
    if manifest.settings is None:
        if section:
            raise PluginError(manifest.name, f"takes no settings, but got {', '.join(section)}")
        return _loaded(item, None)
    _refuse_unknown(manifest.name, manifest.settings, section)
    try:
        options = manifest.settings.model_validate({**_shared(manifest, settings), **section})
    except ValidationError as error:
        raise PluginError(
            manifest.name, explain(error, f"setting plugin.{manifest.name}.", manifest.settings)
        ) from None
    return _loaded(item, options)


def _shared(manifest: Plugin, settings: Settings) -> dict[str, Any]:
    """Return the main settings that a plugin's settings repeat by their names."""
    fields = manifest.settings.model_fields if manifest.settings else {}
    return {name: getattr(settings, name) for name in _SHARED if name in fields}


def _loaded(item: Found, options: BaseModel | None) -> LoadedPlugin:
    return LoadedPlugin(
        item.manifest, item.implementation, item.origin, options, is_built_in=item.is_built_in
    )


def _refuse_unknown_sections(settings: Settings, extra: Sequence[Any]) -> None:
    """Find misspelt plugin names; the section of a plugin that is off, or gone, may stay."""
    files = {path.stem for path in discovery.local_files(settings.plugins_dir)}
    manifests = (getattr(each, "plugin", None) for each in extra)
    handed = {each.name for each in manifests if isinstance(each, Plugin)}
    switched = {*settings.plugins, *settings.plugins_disabled}
    known = {*discovery.installed(), *switched, *files, *handed}
    for name in sorted(settings.plugin.keys() - known):
        meant = difflib.get_close_matches(name, known, n=1, cutoff=0.75)
        if meant:
            raise SettingsError(f"setting plugin.{name}: there is no such plugin, but {meant[0]!r}")


def _refuse_unknown(name: str, model: type[BaseModel], section: Mapping[str, Any]) -> None:
    """Find misspelt options, which pydantic passes over unless a model says otherwise."""
    if model.model_config.get("extra", "ignore") != "ignore":
        return
    known = {*model.model_fields, *(field.alias for field in model.model_fields.values())}
    for option in sorted(section.keys() - known):
        raise PluginError(
            name, f"setting plugin.{name}.{option}: no such setting{got(option, section[option])}"
        )
