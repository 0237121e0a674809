"""A copy of a shop in a temporary file, in which one plugin has other settings."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import event
from sqlmodel import Session

from crmkit.crm import Crm
from crmkit.migrating import upgrade
from crmkit.plugins import CORE
from crmkit.rehearsing.stand_ins import StandIn, make_room_for_metrics


@contextmanager
def open_copy(crm: Crm, shop: Session, plugin: str, section: Mapping[str, Any]) -> Iterator[Crm]:
    """Open an empty copy with core and one plugin; the other plugins have stand-ins.

    A stand-in does nothing by itself: its services answer from the shop, its metrics have the days
    that `copy_metrics` gives them. The copy is gone after the block.

    Args:
        shop: reading session of the shop, for the stand-ins.
        section: settings of the plugin.

    Raises:
        PluginError: the settings are wrong; the message is that of crmkit's start.
    """
    others = [each for each in crm.registry.plugins if each.name not in (CORE, plugin)]
    stand_ins = [StandIn(each.manifest, crm.registry, shop) for each in others]
    with TemporaryDirectory(prefix="crmkit_rehearsal_") as folder:
        settings = crm.settings.model_copy(
            update={
                "data_dir": Path(folder),
                "database_url": "",
                "plugins": (),
                "plugins_disabled": (),
                "plugin": {plugin: dict(section)},
                "roles": {},
            }
        )
        implementation = crm.registry[plugin].implementation
        with Crm(settings, clock=crm.clock, plugins=[implementation, *stand_ins]) as copy:
            event.listen(copy.database.writer, "connect", _in_haste)
            upgrade(copy.database, copy.registry)
            make_room_for_metrics(copy)
            yield copy


def _in_haste(connection: Any, _record: object) -> None:
    """Wait for no disk: nobody needs the copy after a crash."""
    connection.execute("PRAGMA synchronous=OFF")
