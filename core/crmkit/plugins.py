"""The plugins of one application: which are on, in what order, and how their hooks are called.

There is no global registry: each `Crm` makes its own, so two applications with different plugins
live in one process.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pluggy
from pydantic import BaseModel
from sqlmodel import Session, SQLModel

from crmkit import builtin, hookspecs
from crmkit.commands import Command
from crmkit.contributions import InteractionKind, Metric, Rebuilder, Services
from crmkit.errors import HookFailed, PluginError, Refused
from crmkit.jobs import Job
from crmkit.manifest import Permission, Plugin
from crmkit.write_session import require_under_way, under_way

CORE = builtin.plugin.name


@dataclass(frozen=True, slots=True)
class LoadedPlugin:
    """A plugin that is on.

    Attributes:
        settings: its validated settings, or None.
        models: the tables it owns.
        interaction_kinds: the kinds of interaction it registers.
        is_built_in: whether its code comes with crmkit.
    """

    manifest: Plugin
    implementation: Any
    origin: str
    settings: BaseModel | None
    models: tuple[type[SQLModel], ...] = ()
    interaction_kinds: tuple[InteractionKind, ...] = ()
    is_built_in: bool = False

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
        metrics: every registered metric, by name.
        services: what plugins offer each other.
    """

    plugins: tuple[LoadedPlugin, ...]
    broken: dict[str, str] = field(default_factory=dict)
    interaction_kinds: dict[str, InteractionKind] = field(default_factory=dict)
    permissions: dict[str, Permission] = field(default_factory=dict)
    metrics: dict[str, Metric] = field(default_factory=dict)
    services: Services = field(default_factory=Services)
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
    def built_in(self) -> frozenset[str]:
        """Names of core and of the plugins that come with crmkit."""
        return frozenset(loaded.name for loaded in self.plugins if loaded.is_built_in)

    @property
    def rebuilders(self) -> list[tuple[LoadedPlugin, Rebuilder]]:
        """How derived rows are rebuilt, in plugin order."""
        answers = self.ask("register_rebuilders")
        return [(loaded, rebuilder) for loaded, some in answers for rebuilder in some]

    @property
    def commands(self) -> list[tuple[LoadedPlugin, Command]]:
        """What plugins add to the command line, in plugin order."""
        answers = self.ask("register_commands")
        return [(loaded, command) for loaded, some in answers for command in some]

    @property
    def jobs(self) -> dict[str, Job]:
        """What plugins do now and then, by name, in plugin order."""
        return {job.name: job for _, some in self.ask("register_jobs") for job in some}

    def _offered(self, loaded: LoadedPlugin) -> dict[str, Any]:
        """What every hook of a plugin may ask for by naming a parameter."""
        return {
            "settings": loaded.settings,
            "metrics": self.metrics,
            "services": self.services,
            "interaction_kinds": self.interaction_kinds,
        }

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
            arguments = self._offered(loaded)
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
            HookFailed: a plugin raised anything else, or ended the transaction.
        """
        answers = []
        for loaded, function, names in self._calls[hook]:
            session.expire_all()
            offered = {**arguments, "session": session, **self._offered(loaded)}
            before = under_way(session)
            try:
                answer = function(**{name: offered[name] for name in names})
                require_under_way(session, before)
                session.flush()
            except Refused:
                raise
            except (Exception, SystemExit) as error:
                raise HookFailed(loaded.name, hook, error) from error
            if answer is not None:
                answers.append(answer)
        return answers


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
