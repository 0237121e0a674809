"""The plugins of one application: which are on, in what order, and how their hooks are called.

There is no global registry: each `Crm` makes its own, so two applications with different plugins
live in one process.
"""

import graphlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pluggy
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from pydantic import BaseModel, ValidationError
from sqlmodel import Session, SQLModel

from crmkit import builtin, discovery, hookspecs
from crmkit.bulk import table_of
from crmkit.contributions import InteractionKind, Rebuilder
from crmkit.discovery import Found
from crmkit.errors import HookFailed, PluginConflict, PluginError, Refused, SettingsError
from crmkit.manifest import API_VERSION, Permission, Plugin
from crmkit.settings import Settings, explain, plugin_section

CORE = builtin.plugin.name


@dataclass(frozen=True, slots=True)
class LoadedPlugin:
    """A plugin that is on.

    Attributes:
        settings: its validated settings, or None.
        models: the tables it owns.
        interaction_kinds: the kinds of interaction it registers.
    """

    manifest: Plugin
    implementation: Any
    origin: str
    settings: BaseModel | None
    models: tuple[type[SQLModel], ...] = ()
    interaction_kinds: tuple[InteractionKind, ...] = ()

    @property
    def name(self) -> str:
        """The plugin's name."""
        return self.manifest.name


@dataclass(slots=True)
class PluginRegistry:
    """The plugins that are on, core first, in the order in which their hooks run.

    Attributes:
        broken: plugins put aside by `--skip-broken`, with the reason.
        interaction_kinds: every registered kind, by name.
        permissions: every declared permission, by name.
    """

    plugins: tuple[LoadedPlugin, ...]
    broken: dict[str, str] = field(default_factory=dict)
    interaction_kinds: dict[str, InteractionKind] = field(default_factory=dict)
    permissions: dict[str, Permission] = field(default_factory=dict)
    _manager: pluggy.PluginManager = field(init=False, repr=False)
    _calls: dict[str, list[tuple[LoadedPlugin, Callable[..., Any], tuple[str, ...]]]] = field(
        init=False, repr=False
    )

    def __post_init__(self) -> None:
        self._manager = pluggy.PluginManager("crmkit")
        self._manager.add_hookspecs(hookspecs)
        for loaded in self.plugins:
            _register(self._manager, loaded)
        self._calls = _call_lists(self._manager, self.plugins)

    def __getitem__(self, name: str) -> LoadedPlugin:
        for loaded in self.plugins:
            if loaded.name == name:
                return loaded
        raise KeyError(name)

    def __contains__(self, name: str) -> bool:
        return any(loaded.name == name for loaded in self.plugins)

    @property
    def rebuilders(self) -> list[tuple[LoadedPlugin, Rebuilder]]:
        """How derived rows are rebuilt, in plugin order."""
        answers = self.ask("register_rebuilders")
        return [(loaded, rebuilder) for loaded, some in answers for rebuilder in some]

    def hooks_of(self, name: str) -> list[str]:
        """Return the hooks a plugin implements, by name."""
        return sorted(
            hook for hook, calls in self._calls.items() if any(p.name == name for p, _, _ in calls)
        )

    def ask(self, hook: str) -> list[tuple[LoadedPlugin, Any]]:
        """Call a `register_*` hook and return each plugin's answer that is not None.

        Raises:
            PluginError: a plugin's implementation raised.
        """
        answers = []
        for loaded, function, names in self._calls[hook]:
            arguments = {"settings": loaded.settings}
            try:
                answer = function(**{name: arguments[name] for name in names})
            except PluginError:
                raise
            except (Exception, SystemExit) as error:
                raise HookFailed(loaded.name, hook, error) from error
            if answer is not None:
                answers.append((loaded, answer))
        return answers

    def tell(self, hook: str, session: Session, **arguments: Any) -> list[Any]:
        """Call a `check_*` hook or a past participle, one plugin after the other.

        Each plugin reads what core and the plugins before it wrote, and its own writes are sent
        to the database before the next one runs, so that an error carries the right name.

        Returns:
            Each plugin's answer that is not None.

        Raises:
            Refused: a plugin refused the write; its own error, unchanged.
            HookFailed: a plugin raised anything else.
        """
        answers = []
        for loaded, function, names in self._calls[hook]:
            session.expire_all()
            offered = {**arguments, "session": session, "settings": loaded.settings}
            try:
                answer = function(**{name: offered[name] for name in names})
                session.flush()
            except Refused:
                raise
            except (Exception, SystemExit) as error:
                raise HookFailed(loaded.name, hook, error) from error
            if answer is not None:
                answers.append(answer)
        return answers

    def without(self, name: str, reason: str) -> "PluginRegistry":
        """Return a registry without one plugin and those that require it."""
        broken = {**self.broken, name: reason}
        kept: list[LoadedPlugin] = []
        for loaded in self.plugins:
            lost = [needed for needed in loaded.manifest.requires if needed in broken]
            if lost and loaded.name not in broken:
                broken[loaded.name] = f"requires {lost[0]!r}, which was put aside"
            if loaded.name not in broken:
                kept.append(loaded)
        return _assemble(kept, broken)


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
    found: list[Found] = [discovery.describe(builtin, "crmkit itself")]
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
            return _assemble([_configure(item, settings) for item in _ordered(found)], broken)
        except PluginError as error:
            if not skip_broken or error.plugin == CORE:
                raise
            broken[error.plugin] = error.reason
            found = [item for item in found if item.manifest.name != error.plugin]


def _not_core(item: Found) -> Found:
    if item.manifest.name == CORE:
        raise PluginError(CORE, f"is crmkit's own name, {item.origin} needs another")
    return item


class _putting_aside:  # noqa: N801 used as a statement
    """Turn a plugin's failure into an entry of `broken`, if asked to."""

    def __init__(self, broken: dict[str, str], skip: bool) -> None:
        self._broken, self._skip = broken, skip

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, _trace: object) -> bool:
        if self._skip and isinstance(error, PluginError):
            self._broken[error.plugin] = error.reason
            return True
        return False


def _ordered(found: Sequence[Found]) -> list[Found]:
    """Sort by `requires`, then by name; refuse duplicates, gaps, cycles and wrong versions."""
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
        {n: [*i.manifest.requires, *([CORE] if n != CORE else [])] for n, i in by_name.items()}
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
        return LoadedPlugin(manifest, item.implementation, item.origin, None)
    _refuse_unknown(manifest.name, manifest.settings, section)
    try:
        options = manifest.settings.model_validate(section)
    except ValidationError as error:
        raise PluginError(
            manifest.name, explain(error, f"setting plugin.{manifest.name}.")
        ) from None
    return LoadedPlugin(manifest, item.implementation, item.origin, options)


def _refuse_unknown_sections(settings: Settings, extra: Sequence[Any]) -> None:
    """Find misspelt plugin names; the section of a plugin that is off may stay."""
    files = {path.stem for path in discovery.local_files(settings.plugins_dir)}
    manifests = (getattr(each, "plugin", None) for each in extra)
    handed = {each.name for each in manifests if isinstance(each, Plugin)}
    switched = {*settings.plugins, *settings.plugins_disabled}
    known = {*discovery.installed(), *switched, *files, *handed}
    for name in sorted(settings.plugin.keys() - known):
        raise SettingsError(f"setting plugin.{name}: there is no plugin of that name")


def _refuse_unknown(name: str, model: type[BaseModel], section: Mapping[str, Any]) -> None:
    """Find misspelt options, which pydantic passes over unless a model says otherwise."""
    if model.model_config.get("extra", "ignore") != "ignore":
        return
    known = {*model.model_fields, *(field.alias for field in model.model_fields.values())}
    for option in sorted(section.keys() - known):
        raise PluginError(
            name, f"setting plugin.{name}.{option}: no such setting (got {section[option]!r})"
        )


def _assemble(plugins: Sequence[LoadedPlugin], broken: dict[str, str]) -> PluginRegistry:
    """Ask every plugin for its models, kinds and permissions, and refuse clashes."""
    registry = PluginRegistry(tuple(plugins), dict(broken))
    models = {loaded.name: tuple(some) for loaded, some in registry.ask("register_models")}
    _check_models(models)
    _check_tables(models)
    kinds = {
        loaded.name: tuple(some) for loaded, some in registry.ask("register_interaction_kinds")
    }
    _check_kinds(kinds)
    permissions: dict[str, Permission] = {}
    for loaded in plugins:
        for permission in loaded.manifest.permissions:
            _check_permission(loaded, permission)
            permissions[permission.name] = permission
    complete = tuple(
        replace(p, models=models.get(p.name, ()), interaction_kinds=kinds.get(p.name, ()))
        for p in plugins
    )
    by_name = {kind.name: kind for some in kinds.values() for kind in some}
    return PluginRegistry(complete, dict(broken), by_name, permissions)


def _check_kinds(kinds: dict[str, tuple[InteractionKind, ...]]) -> None:
    owners: dict[str, str] = {}
    for plugin, some in kinds.items():
        for kind in some:
            if not isinstance(kind, InteractionKind):
                raise PluginError(plugin, f"{kind!r} is not an InteractionKind")
            _claim(owners, kind.name, plugin, f"the interaction kind {kind.name!r}")


def _check_models(models: dict[str, tuple[type[SQLModel], ...]]) -> None:
    for plugin, some in models.items():
        for model in some:
            if not hasattr(model, "__table__"):
                raise PluginError(plugin, f"its model {model!r} is not an SQLModel with table=True")


def _check_tables(models: dict[str, tuple[type[SQLModel], ...]]) -> None:
    owners: dict[str, str] = {}
    for plugin, some in models.items():
        for model in some:
            table = table_of(model).name
            if plugin != CORE and table != plugin and not table.startswith(f"{plugin}_"):
                raise PluginError(plugin, f"its table {table!r} must be named {plugin}_...")
            _claim(owners, table, plugin, f"the table {table!r}")


def _check_permission(loaded: LoadedPlugin, permission: Permission) -> None:
    if loaded.name != CORE and not permission.name.startswith(f"{loaded.name}."):
        raise PluginError(
            loaded.name, f"its permission {permission.name!r} must be named {loaded.name}...."
        )


def _claim(owners: dict[str, str], key: str, plugin: str, what: str) -> None:
    if key in owners:
        raise PluginConflict(plugin, owners[key], what)
    owners[key] = plugin


def _register(manager: pluggy.PluginManager, loaded: LoadedPlugin) -> None:
    try:
        manager.register(loaded.implementation, name=loaded.name)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise PluginError(loaded.name, " ".join(str(error).split())) from None


def _call_lists(
    manager: pluggy.PluginManager, plugins: Sequence[LoadedPlugin]
) -> dict[str, list[tuple[LoadedPlugin, Callable[..., Any], tuple[str, ...]]]]:
    """Return, for each hook, whom to call in which order with which parameters."""
    rank = {loaded.name: position for position, loaded in enumerate(plugins)}
    by_name = {loaded.name: loaded for loaded in plugins}
    calls: dict[str, list[tuple[LoadedPlugin, Callable[..., Any], tuple[str, ...]]]] = {}
    for hook in sorted(vars(manager.hook)):
        found = getattr(manager.hook, hook).get_hookimpls()
        for implementation in found:
            if implementation.wrapper or implementation.hookwrapper:
                raise PluginError(
                    implementation.plugin_name, f"{hook} is a wrapper; call it plainly"
                )
        calls[hook] = [
            (by_name[each.plugin_name], each.function, tuple(each.argnames))
            for each in sorted(found, key=lambda each: rank[each.plugin_name])
        ]
    return calls
