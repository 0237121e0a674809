"""Reading where customers stand, for many at once."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time
from uuid import UUID

from sqlmodel import Session

from crmkit_tiers.deciding import Subject, span_of
from crmkit_tiers.figures import Metrics, load_figures
from crmkit_tiers.following import business_days
from crmkit_tiers.memberships import read_held
from crmkit_tiers.progress import Progress, progress
from crmkit_tiers.settings import TiersSettings
from crmkit_tiers.states import Moment


def load_progress(
    session: Session,
    settings: TiersSettings,
    metrics: Metrics,
    customers: Collection[UUID],
    today: date,
) -> Mapping[UUID, list[tuple[str, Progress]]]:
    """Return where customers stand in each tier set, with the figures of a business day."""
    found: defaultdict[UUID, list[tuple[str, Progress]]] = defaultdict(list)
    days = business_days(session, sorted(customers))
    at = datetime.combine(today, time(), UTC)
    for name, tier_set in settings.sets.items():
        held = read_held(session, name, customers)
        spans = []
        for who in customers:
            state = held[who].state if who in held else None
            subject = Subject(who, state, today, days.get(who, (today, today))[0], at, False)
            spans.append(span_of(tier_set, state, Moment(today), subject))
        figures = load_figures(session, tier_set, metrics, spans)
        for who in customers:
            state = held[who].state if who in held else None
            found[who].append((name, progress(tier_set, state, figures[who], today)))
    return found
