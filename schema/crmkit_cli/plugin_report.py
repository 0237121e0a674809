"""What can be said about every plugin that is on, broken, or off."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crmkit import Crm
    from crmkit.plugins import LoadedPlugin
    from crmkit_schema.composition import Composition

BROKEN = "broken"
_SHOWN_MAX = 20


@dataclass(frozen=True, slots=True)
class PluginReport:
    """One plugin.

    Attributes:
        state: `on`, `off` or `broken`.
        origin: the module or file it comes from.
        reason: why it is broken.
        graphql: types, and fields of other types, that it contributes.
    """

    name: str
    state: str
    origin: str
    version: str | None = None
    summary: str = ""
    reason: str | None = None
    requires: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    graphql: tuple[str, ...] = ()
    hooks: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()

    def details(self) -> Iterator[tuple[str, str]]:
        """Yield what there is to say, each with a label."""
        yield from (("", text) for text in (self.summary, self.reason) if text)
        for label in ("requires", "tables", "graphql", "hooks", "commands", "permissions"):
            if names := getattr(self, label):
                yield label, ", ".join(names[:_SHOWN_MAX]) + _rest(len(names) - _SHOWN_MAX)


def report_plugins(crm: "Crm", composition: "Composition") -> list[PluginReport]:
    """Return a report on each plugin: those that are on in their order, then broken, then off."""
    from crmkit import discovery

    settings, broken = crm.settings, crm.registry.broken
    installed = discovery.installed()
    files = {path.stem: f"file {path}" for path in discovery.local_files(settings.plugins_dir)}
    origins = {**{name: f"module {module}" for name, module in installed.items()}, **files}
    on = [_loaded(crm, each, composition) for each in crm.registry.plugins]
    named = {each.name for each in on} | broken.keys()
    return [
        *on,
        *(
            PluginReport(name, BROKEN, origins.get(name, "not installed"), reason=reason)
            for name, reason in sorted(broken.items())
        ),
        *(PluginReport(name, "off", origins[name]) for name in sorted(origins.keys() - named)),
    ]


def _rest(count: int) -> str:
    return f" and {count} more; --json lists them" if count > 0 else ""


def _loaded(crm: "Crm", loaded: "LoadedPlugin", composition: "Composition") -> PluginReport:
    from crmkit import table_of

    manifest = loaded.manifest
    return PluginReport(
        name=loaded.name,
        state="on",
        origin=loaded.origin,
        version=manifest.version,
        summary=manifest.summary,
        requires=tuple(manifest.requires),
        tables=tuple(sorted(table_of(model).name for model in loaded.models)),
        graphql=tuple(composition.contributed(loaded.name)),
        hooks=tuple(crm.registry.hooks_of(loaded.name)),
        commands=tuple(c.name for owner, c in crm.registry.commands if owner is loaded),
        permissions=tuple(permission.name for permission in manifest.permissions),
    )
