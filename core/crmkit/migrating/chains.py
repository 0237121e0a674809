"""The history of each plugin's tables: its revisions, in the order in which they run."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import resources
from importlib.resources.abc import Traversable
from types import ModuleType

import alembic.op
from alembic.runtime.migration import MigrationStep
from alembic.script import Script
from alembic.script.revision import RevisionMap
from alembic.util import load_python_file

from crmkit.contributions import Migration
from crmkit.errors import PluginError
from crmkit.plugins import PluginRegistry

BASE = "base"
VERSION_SUFFIX = "_schema_version"
# Alembic's version column holds 32 characters.
_REVISION = re.compile(r"\w{1,32}", re.ASCII)


def version_table(plugin: str) -> str:
    """Return the name of the table that holds how far a plugin's tables have come."""
    return f"{plugin}{VERSION_SUFFIX}"


@dataclass(frozen=True, slots=True)
class Chain:
    """One plugin's revisions, oldest first; each follows the one before it.

    Attributes:
        plugin: the plugin's name.
    """

    plugin: str
    scripts: tuple[Script, ...]

    @property
    def head(self) -> str | None:
        """The newest revision; None if there is none at all."""
        return self.scripts[-1].revision if self.scripts else None

    def position(self, revision: str | None) -> int:
        """Return how many revisions have run when the tables are at `revision`.

        Raises:
            PluginError: the plugin's code does not know the revision.
        """
        if revision is None:
            return 0
        for count, script in enumerate(self.scripts, start=1):
            if script.revision == revision:
                return count
        raise PluginError(
            self.plugin,
            f"its tables are at revision {revision!r}, which this version of it does not know; "
            "the database is newer than the code, so install the version that made it",
        )

    def steps_up(self, at: str | None) -> list[MigrationStep]:
        """Return the steps from revision `at` to the newest."""
        scripts = self.scripts[self.position(at) :]
        known = self._map()
        return [MigrationStep.upgrade_from_script(known, script) for script in scripts]

    def steps_down(self, at: str | None, to: str | None) -> list[MigrationStep]:
        """Return the steps from revision `at` back to `to`; None is before the first."""
        scripts = self.scripts[self.position(to) : self.position(at)]
        known = self._map()
        return [MigrationStep.downgrade_from_script(known, script) for script in reversed(scripts)]

    def _map(self) -> RevisionMap:
        revisions = RevisionMap(lambda: self.scripts)
        revisions.get_current_head()  # the scripts are linked when the map is first asked
        return revisions


def load_chains(registry: PluginRegistry) -> list[Chain]:
    """Return the chain of every plugin that owns tables, in plugin order.

    Raises:
        PluginError: a plugin's revisions are missing or do not form one line.
    """
    chains = [
        Chain(loaded.name, _in_line(loaded.name, _modules(loaded.name, answer)))
        for loaded, answer in registry.ask("register_migrations")
    ]
    known = {chain.plugin for chain in chains}
    for loaded in registry.plugins:
        if loaded.models and loaded.name not in known:
            raise PluginError(loaded.name, "owns tables, but has no hook register_migrations")
    return chains


def _modules(plugin: str, answer: str | Sequence[Migration]) -> list[ModuleType]:
    if not isinstance(answer, str):
        return _inline_modules(answer)
    modules = []
    for file in _revision_files(plugin, answer):
        with resources.as_file(file) as path:
            try:
                modules.append(load_python_file(path.parent, path.name))
            except (Exception, SystemExit) as error:
                reason = f"{type(error).__name__}: {error}"
                raise PluginError(
                    plugin, f"its migration {file.name} cannot be loaded: {reason}"
                ) from error
    return modules


def _inline_modules(migrations: Iterable[Migration]) -> list[ModuleType]:
    """Give each function pair the shape that Alembic expects of a revision file."""
    modules: list[ModuleType] = []
    before: str | None = None
    for migration in migrations:
        module = ModuleType(str(migration.revision))
        vars(module).update(
            revision=migration.revision,
            down_revision=before,
            upgrade=partial(migration.upgrade, alembic.op),
            downgrade=partial(migration.downgrade, alembic.op),
        )
        modules.append(module)
        before = migration.revision
    return modules


def _revision_files(plugin: str, address: str) -> list[Traversable]:
    """Find the revision files of `package:folder`, which may lie in a zip file."""
    package, _, folder = address.partition(":")
    try:
        versions = resources.files(package) / folder / "versions"
        files = [file for file in versions.iterdir() if file.name.endswith(".py")]
    except (ImportError, OSError, ValueError) as error:
        raise PluginError(plugin, f"its migrations {address!r} are not there: {error}") from error
    return sorted(
        (file for file in files if not file.name.startswith("_")), key=lambda file: file.name
    )


def _in_line(plugin: str, modules: Iterable[ModuleType]) -> tuple[Script, ...]:
    """Order revisions by what each one follows; refuse forks, gaps and repeats."""
    followers: dict[str | None, Script] = {}
    revisions: set[str] = set()
    for module in modules:
        script = _script(plugin, module)
        if script.revision in revisions:
            raise PluginError(plugin, f"it has two revisions {script.revision!r}")
        revisions.add(script.revision)
        before = script.module.down_revision
        if before in followers:
            both = f"{followers[before].revision!r} and {script.revision!r}"
            raise PluginError(plugin, f"its revisions {both} both follow {before!r}")
        followers[before] = script
    line: list[Script] = []
    last: str | None = None
    while last in followers:
        line.append(followers.pop(last))
        last = line[-1].revision
    for before, stray in followers.items():
        raise PluginError(
            plugin, f"its revision {stray.revision!r} follows {before!r}, which leads nowhere"
        )
    return tuple(line)


def _script(plugin: str, module: ModuleType) -> Script:
    revision = getattr(module, "revision", None)
    if not isinstance(revision, str) or not _REVISION.fullmatch(revision) or revision == BASE:
        raise PluginError(
            plugin,
            f"its migration {module.__name__} has the revision {revision!r}; "
            "use 1 to 32 letters, digits or underscores",
        )
    for needed in ("down_revision", "upgrade", "downgrade"):
        if not hasattr(module, needed):
            raise PluginError(plugin, f"its revision {revision!r} has no {needed}")
    if not isinstance(module.down_revision, str | None):
        raise PluginError(plugin, f"its revision {revision!r} must follow one revision or None")
    if module.down_revision == revision:
        raise PluginError(plugin, f"its revision {revision!r} follows itself, or is there twice")
    if getattr(module, "depends_on", None) or getattr(module, "branch_labels", None):
        raise PluginError(
            plugin,
            f"its revision {revision!r} has depends_on or branch_labels; "
            "the order of plugins comes from their requires",
        )
    return Script(module, revision, getattr(module, "__file__", None) or module.__name__)
