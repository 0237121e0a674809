"""Which functions of which plugins a hook calls, in what order, with which parameters."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pluggy

from crmkit.errors import PluginError

if TYPE_CHECKING:
    from crmkit.plugins import LoadedPlugin


def register(manager: pluggy.PluginManager, loaded: "LoadedPlugin") -> None:
    """Make the hook implementations of a plugin known.

    Raises:
        PluginError: one implements no hook there is, or names a parameter there is not.
    """
    try:
        manager.register(loaded.implementation, name=loaded.name)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise PluginError(loaded.name, " ".join(str(error).split())) from None


def call_lists(
    manager: pluggy.PluginManager, plugins: Sequence["LoadedPlugin"]
) -> dict[str, list[tuple["LoadedPlugin", Callable[..., Any], tuple[str, ...]]]]:
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
