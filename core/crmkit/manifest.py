"""What a plugin says about itself."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel

API_VERSION: Final = "0.1"
"""Version of the plugin contract: hooks, batches, services, schema declarations."""

_NAME = re.compile(r"[a-z][a-z0-9_]{1,30}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Permission:
    """Something a role may be allowed to do.

    Attributes:
        name: `<plugin>.<verb>`, such as `loyalty.adjust`.
        description: one sentence for the person who hands out roles.
        roles: built-in roles that have it unless the settings say otherwise.
    """

    name: str
    description: str
    roles: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plugin's manifest, found as the attribute `plugin` of its module.

    Attributes:
        name: also the prefix of its tables and permissions and its section in the settings.
        version: the plugin's own version.
        summary: one sentence for `crmkit plugins` and the capability query.
        api: versions of the plugin contract it works with, such as `>=0.1,<0.2`.
        requires: names of plugins that must be on, and whose hooks run first.
        optional: names of plugins whose hooks run first if they are on.
        permissions: every permission its fields and mutations ask for.
        settings: pydantic model of its section `[plugin.<name>]`; None takes no settings. Fields
            named `timezone`, `currency` and `country` are those of the main settings unless given.
    """

    name: str
    version: str
    summary: str
    api: str = ">=0.1,<0.2"
    requires: Sequence[str] = ()
    permissions: Sequence[Permission] = ()
    settings: type[BaseModel] | None = None
    optional: Sequence[str] = ()

    def __post_init__(self) -> None:
        for field in ("requires", "optional"):
            if isinstance(names := getattr(self, field), str):
                raise ValueError(f"{field}={names!r}: write a list of names")  # noqa: TRY004
        if not _NAME.fullmatch(self.name):
            raise ValueError(
                f"plugin name {self.name!r}: use 2 to 31 lower-case letters, digits or underscores"
            )
