"""Reading figures: sums of metrics over windows, for many customers in one statement a metric."""

import difflib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnClause,
    Date,
    FromClause,
    Select,
    String,
    Uuid,
    bindparam,
    case,
    cast,
    column,
    func,
    select,
)
from sqlmodel import Session

from crmkit import Metric, PluginError
from crmkit.money import currency_digits
from crmkit_tiers.conditions import FigureKey, Figures
from crmkit_tiers.settings import TierSet, TiersSettings

Metrics = Mapping[str, Metric]


class Span(NamedTuple):
    """The days that count for one customer.

    Attributes:
        until: last day.
        starts: first day of each figure, in the order of `TierSet.keys`.
    """

    customer_id: UUID
    until: date
    starts: Sequence[date]


def check_metrics(settings: TiersSettings, metrics: Metrics) -> None:
    """Refuse conditions on metrics that no plugin registers.

    Raises:
        PluginError: names the path of the first, and the name that may have been meant.
    """
    for name, tier_set in settings.sets.items():
        for path, leaf in tier_set.leaves():
            if leaf.metric not in metrics:
                meant = difflib.get_close_matches(leaf.metric or "", metrics, n=1)
                known = f"but {meant[0]!r}" if meant else f"only {', '.join(sorted(metrics))}"
                raise PluginError(
                    "tiers",
                    f"setting plugin.tiers.sets.{name}.{path}.metric: "
                    f"there is no metric {leaf.metric!r}, {known}",
                )


def digits_of(tier_set: TierSet, metric: Metric) -> int:
    """Return how many digits of a metric's values are decimals, in a tier set's currency."""
    return currency_digits(tier_set.currency) if metric.digits is None else metric.digits


def daily_of(tier_set: TierSet, metric: Metric) -> Select[tuple[Any, ...]]:
    """Return a metric's days as a tier set counts them: its currency, its policy for returns."""
    never = tier_set.on_return == "never"
    daily = (metric.without_returns if never else None) or metric.daily
    selected = daily()
    if metric.digits is None:
        return selected.where(selected.selected_columns.currency == tier_set.currency)
    return selected


def load_figures(
    session: Session, tier_set: TierSet, metrics: Metrics, spans: Sequence[Span]
) -> Mapping[UUID, Figures]:
    """Return every figure of a tier set for some customers, one statement for each metric."""
    found: dict[UUID, dict[FigureKey, Decimal]] = {
        span.customer_id: dict.fromkeys(tier_set.keys, Decimal()) for span in spans
    }
    positions: defaultdict[str, list[int]] = defaultdict(list)
    for position, key in enumerate(tier_set.keys):
        positions[key.metric].append(position)
    for name, wanted in positions.items() if spans else ():
        metric = metrics[name]
        digits = digits_of(tier_set, metric)
        keys = [tier_set.keys[position] for position in wanted]
        for customer_id, *sums in session.execute(*_sums(session, tier_set, metric, wanted, spans)):
            values = found[customer_id]
            for key, total in zip(keys, sums, strict=True):
                values[key] = Decimal(int(total)).scaleb(-digits)
    return found


def _sums(
    session: Session,
    tier_set: TierSet,
    metric: Metric,
    positions: Sequence[int],
    spans: Sequence[Span],
) -> tuple[Any, Mapping[str, Any]]:
    source, values = _SOURCES[session.connection().dialect.name](positions, spans)
    daily = daily_of(tier_set, metric)
    whose = daily.selected_columns.customer_id
    days = daily.where(whose.in_(select(source.c.customer_id))).subquery("days")
    sums = [
        cast(func.sum(case((days.c.business_on >= source.c[f"start_{at}"], days.c.value), else_=0)),
             BigInteger)
        for at in range(len(positions))
    ]  # fmt: skip
    statement = (
        select(source.c.customer_id, *sums)
        .join(days, days.c.customer_id == source.c.customer_id)
        .where(days.c.business_on <= source.c.until)
        .group_by(source.c.customer_id)
    )
    return statement, values


def _in_json(
    positions: Sequence[int], spans: Sequence[Span]
) -> tuple[FromClause, Mapping[str, Any]]:
    """Hand spans to SQLite as one text."""
    rows = [
        [span.customer_id.hex, span.until, *(span.starts[at] for at in positions)] for span in spans
    ]
    each = func.json_each(bindparam("spans", type_=String)).table_valued("value")
    names = ["until", *(f"start_{number}" for number in range(len(positions)))]
    source = select(
        func.json_extract(each.c.value, "$[0]", type_=Uuid()).label("customer_id"),
        *(
            func.json_extract(each.c.value, f"$[{at}]", type_=Date()).label(name)
            for at, name in enumerate(names, 1)
        ),
    ).cte("spans")
    return source, {"spans": orjson.dumps(rows).decode()}


def _in_arrays(
    positions: Sequence[int], spans: Sequence[Span]
) -> tuple[FromClause, Mapping[str, Any]]:
    """Hand spans to PostgreSQL as arrays."""
    days = ["until", *(f"start_{number}" for number in range(len(positions)))]
    values: dict[str, Any] = {
        "customer_id": [span.customer_id for span in spans],
        "until": [span.until for span in spans],
    }
    for number, at in enumerate(positions):
        values[f"start_{number}"] = [span.starts[at] for span in spans]
    arrays = [
        bindparam("customer_id", type_=ARRAY(Uuid())),
        *(bindparam(name, type_=ARRAY(Date())) for name in days),
    ]
    columns: list[ColumnClause[Any]] = [
        column("customer_id", Uuid()),
        *(column(name, Date()) for name in days),
    ]
    source = func.unnest(*arrays).table_valued(*columns).render_derived(name="spans")
    return source, values


_Source = Callable[[Sequence[int], Sequence[Span]], tuple[FromClause, Mapping[str, Any]]]
_SOURCES: Mapping[str, _Source] = {"sqlite": _in_json, "postgresql": _in_arrays}
