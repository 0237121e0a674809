"""Reading the settings of one plugin from a file of its own."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crmkit.errors import SettingsError


def read_section(path: Path, plugin: str) -> Mapping[str, Any]:
    """Return the section `[plugin.NAME]` of a file that is written like crmkit.toml.

    Whatever else the file holds is left alone, so that it may be a copy of the whole settings.

    Raises:
        SettingsError: the file cannot be read, is not TOML, or has no such section.
    """
    try:
        with path.open("rb") as file:
            found = tomllib.load(file)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not TOML: {error}") from None
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from None
    sections = found.get("plugin")
    section = sections.get(plugin) if isinstance(sections, dict) else None
    if not isinstance(section, dict):
        raise SettingsError(f"{path} has no section [plugin.{plugin}]; write the new rules there")
    return section
