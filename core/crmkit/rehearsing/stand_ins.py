"""What stands in for the other plugins while one is rehearsed."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    Index,
    MetaData,
    Select,
    String,
    Table,
    Uuid,
    select,
)
from sqlmodel import Session

from crmkit.contributions import Daily, Metric, Service
from crmkit.crm import Crm
from crmkit.hookspecs import hookimpl
from crmkit.manifest import Plugin
from crmkit.plugins import CORE, PluginRegistry

_PAGE = 5_000
_VALUES = ("customer_id", "business_on", "currency", "value")
_day = Table(
    "rehearsal_day",
    MetaData(),
    Column("metric", String),
    Column("customer_id", Uuid),
    Column("business_on", Date),
    Column("currency", String),
    Column("value", BigInteger),
    Index("ix_rehearsal_day", "metric", "customer_id"),
)


class StandIn:
    """Offers what another plugin offers, answered from the shop."""

    def __init__(self, manifest: Plugin, registry: PluginRegistry, shop: Session) -> None:
        self.plugin = Plugin(manifest.name, manifest.version, manifest.summary)
        self._registry = registry
        self._shop = shop

    @hookimpl
    def register_services(self) -> Sequence[Service]:
        """The plugin's services; they read the shop."""
        return [
            replace(service, call=_reading(service.call, self._shop))
            for service in self._registry.services.offered.values()
            if self._owns(service.name)
        ]

    @hookimpl
    def register_metrics(self) -> Sequence[Metric]:
        """The plugin's metrics; their days are copies of the shop's."""
        return [
            replace(
                metric,
                daily=partial(_days_of, name),
                without_returns=metric.without_returns
                and partial(_days_of, _without_returns(name)),
            )
            for name, metric in self._registry.metrics.items()
            if self._owns(name)
        ]

    def _owns(self, name: str) -> bool:
        return name.startswith(f"{self.plugin.name}.")


def make_room_for_metrics(copy: Crm) -> None:
    """Make the table for days of metrics."""
    _day.create(copy.database.writer)


def copy_metrics(
    registry: PluginRegistry, shop: Session, copy: Crm, names: Collection[str]
) -> None:
    """Copy the days of some metrics of other plugins, as they are known today.

    Those of core follow from what is recorded in the copy.
    """
    for name in sorted(names):
        metric = registry.metrics.get(name)
        if metric is None or name.startswith(f"{CORE}."):
            continue
        _copy_days(shop, copy, name, metric.daily)
        if metric.without_returns is not None:
            _copy_days(shop, copy, _without_returns(name), metric.without_returns)


def _copy_days(shop: Session, copy: Crm, name: str, daily: Daily) -> None:
    days = daily().subquery()
    statement = select(*(days.c[value] for value in _VALUES))
    found = shop.execute(statement, execution_options={"yield_per": _PAGE})
    for rows in found.partitions():
        values = [
            {"metric": name, **dict(zip(_VALUES, row, strict=True)), "value": int(row.value)}
            for row in rows
        ]
        copy.write(lambda session, values=values: session.execute(_day.insert(), values))  # type: ignore[misc]


def _days_of(name: str) -> Select[Any]:
    return select(*(_day.c[value] for value in _VALUES)).where(_day.c.metric == name)


def _without_returns(name: str) -> str:
    return f"{name} without returns"


def _reading(call: Callable[..., Any], shop: Session) -> Callable[..., Any]:
    return lambda _copy, *arguments: call(shop, *arguments)
