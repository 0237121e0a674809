"""Opening what a data directory holds."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crmkit import Crm

ANY_DOCUMENTS = {"trusted": [], "only_trusted": False}
"""Settings of `documents` for developers, whose manifests may be older than their schema."""


@contextmanager
def opened(
    data_dir: Path, *, must_be_ready: bool = False, skip_broken: bool = False, **overrides: Any
) -> "Iterator[Crm]":
    """Open the application of a data directory for the time of the block.

    Args:
        must_be_ready: refuse tables that are older than the code.
        skip_broken: put plugins that cannot be used aside.
        overrides: settings that count before the environment and the file.

    Raises:
        SettingsError: there is no such folder, or a setting is wrong.
        DatabaseNotReady: the tables must be ready and are not.
        PluginError: a plugin cannot be used.
    """
    from crmkit import Crm, Settings
    from crmkit.errors import SettingsError
    from crmkit.migrating import require_ready

    if not data_dir.is_dir():
        raise SettingsError(
            f"there is no folder {data_dir}; make one with: crmkit init --data-dir {data_dir}"
        )
    with Crm(Settings.load(data_dir, **overrides), skip_broken=skip_broken) as crm:
        if must_be_ready:
            require_ready(crm.database, crm.registry)
        yield crm
