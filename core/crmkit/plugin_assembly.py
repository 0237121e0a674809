"""Putting plugins together: what they register must not clash."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlmodel import SQLModel

from crmkit.bulk import table_of
from crmkit.commands import OPTION_NAME, OWN_WORDS, TAKEN_OPTIONS, Command
from crmkit.contributions import InteractionKind, Metric, Service, Services
from crmkit.errors import PluginConflict, PluginError
from crmkit.jobs import Job
from crmkit.manifest import Permission
from crmkit.plugins import CORE, LoadedPlugin, PluginRegistry


def assemble(plugins: Sequence[LoadedPlugin], broken: Mapping[str, str]) -> PluginRegistry:
    """Return the registry of some plugins, with what each of them registers.

    Args:
        broken: plugins put aside, with the reason.

    Raises:
        PluginError: two of them register the same thing, or one something it may not.
    """
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
    metrics = _metrics(registry)
    known = PluginRegistry(complete, dict(broken), by_name, permissions, metrics)
    complete_registry = replace(known, services=Services(_services(known)))
    _check_commands(complete_registry)
    _check_jobs(complete_registry)
    return complete_registry


def _metrics(registry: PluginRegistry) -> dict[str, Metric]:
    found: dict[str, Metric] = {}
    owners: dict[str, str] = {}
    for loaded, some in registry.ask("register_metrics"):
        for metric in some:
            if not isinstance(metric, Metric):
                raise PluginError(loaded.name, f"{metric!r} is not a Metric")
            _require_prefix(loaded, metric.name, "metric")
            _claim(owners, metric.name, loaded.name, f"the metric {metric.name!r}")
            found[metric.name] = metric
    return found


def _services(registry: PluginRegistry) -> dict[tuple[str, int], Service]:
    found: dict[tuple[str, int], Service] = {}
    owners: dict[str, str] = {}
    for loaded, some in registry.ask("register_services"):
        for service in some:
            if not isinstance(service, Service):
                raise PluginError(loaded.name, f"{service!r} is not a Service")
            _require_prefix(loaded, service.name, "service")
            what = f"version {service.version} of the service {service.name!r}"
            _claim(owners, what, loaded.name, what)
            found[(service.name, service.version)] = service
    return found


def _require_prefix(loaded: LoadedPlugin, name: str, what: str) -> None:
    if not name.startswith(f"{loaded.name}."):
        raise PluginError(loaded.name, f"its {what} {name!r} must be named {loaded.name}....")


def _check_kinds(kinds: dict[str, tuple[InteractionKind, ...]]) -> None:
    owners: dict[str, str] = {}
    for plugin, some in kinds.items():
        for kind in some:
            if not isinstance(kind, InteractionKind):
                raise PluginError(plugin, f"{kind!r} is not an InteractionKind")
            _claim(owners, kind.name, plugin, f"the interaction kind {kind.name!r}")


def _check_commands(registry: PluginRegistry) -> None:
    owners: dict[str, str] = {}
    for loaded, command in registry.commands:
        if not isinstance(command, Command):
            raise PluginError(loaded.name, f"{command!r} is not a Command")
        if loaded.name in OWN_WORDS:
            raise PluginConflict(loaded.name, CORE, f"the command {loaded.name!r}")
        words = f"{loaded.name} {command.name}"
        _claim(owners, words, loaded.name, f"the command {words!r}")
        named = dict.fromkeys(TAKEN_OPTIONS, CORE)
        for option in command.options:
            what = f"the option --{option.name} of {words!r}"
            if not re.fullmatch(OPTION_NAME, option.name, re.ASCII):
                raise PluginError(loaded.name, f"{what} must be named in words like from-day")
            _claim(named, option.name, loaded.name, what)


def _check_jobs(registry: PluginRegistry) -> None:
    owners: dict[str, str] = {}
    for loaded, some in registry.ask("register_jobs"):
        for job in some:
            if not isinstance(job, Job):
                raise PluginError(loaded.name, f"{job!r} is not a Job")
            _require_prefix(loaded, job.name, "job")
            _claim(owners, job.name, loaded.name, f"the job {job.name!r}")


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
    if loaded.name != CORE:
        _require_prefix(loaded, permission.name, "permission")


def _claim(owners: dict[str, str], key: str, plugin: str, what: str) -> None:
    if key in owners:
        raise PluginConflict(plugin, owners[key], what)
    owners[key] = plugin


def without(registry: PluginRegistry, name: str, reason: str) -> PluginRegistry:
    """Return a registry without one plugin and those that require it."""
    broken = {**registry.broken, name: reason}
    kept: list[LoadedPlugin] = []
    for loaded in registry.plugins:
        lost = [needed for needed in loaded.manifest.requires if needed in broken]
        if lost and loaded.name not in broken:
            broken[loaded.name] = f"requires {lost[0]!r}, which was put aside"
        if loaded.name not in broken:
            kept.append(loaded)
    return assemble(kept, broken)
