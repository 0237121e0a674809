"""Entries by earning rules for what is no sale, for everything that happened in a batch."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from crmkit import CustomerBatch, InteractionBatch, Services
from crmkit_loyalty import ledger
from crmkit_loyalty.earning import Cause
from crmkit_loyalty.earning_granting import Granting
from crmkit_loyalty.earning_limits import load_allowances
from crmkit_loyalty.earning_matching import Circumstances
from crmkit_loyalty.earning_standing import load_standings
from crmkit_loyalty.happenings import Happening, earn_by, is_about
from crmkit_loyalty.settings import LoyaltySettings


def follow_customers(
    session: Session, batch: CustomerBatch, settings: LoyaltySettings, services: Services
) -> None:
    """Give points to customers who are new."""
    at, on = batch.recorded_at, settings.day_of(batch.recorded_at)
    signed_up = [
        Happening("sign_up", Cause("customer", customer_id, customer_id, at, on))
        for customer_id in batch.created
    ]
    post(session, signed_up, batch.recorded_at, settings, services)


def follow_interactions(
    session: Session, batch: InteractionBatch, settings: LoyaltySettings, services: Services
) -> None:
    """Give points to those whom interactions were with."""
    happened = [
        Happening(
            "interaction",
            Cause(
                "interaction",
                each.id,
                each.customer_id,
                each.occurred_at,
                settings.day_of(each.occurred_at),
            ),
            interaction_kind=each.kind,
            sku=each.sku,
        )
        for each in batch.interactions
        if each.customer_id is not None
    ]
    post(session, happened, batch.recorded_at, settings, services)


def post(
    session: Session,
    happenings: Sequence[Happening],
    recorded_at: datetime,
    settings: LoyaltySettings,
    services: Services,
) -> None:
    """Post an entry for each rule that gives something, in the order of what happened.

    Args:
        happenings: each must be new; what was posted before is refused by the database.
    """
    rule_set = settings.rule_set
    concerned = [
        each for each in happenings if any(is_about(rule, each) for rule in rule_set.happenings)
    ]
    if not concerned:
        return
    wanted = [(each.cause.customer_id, each.cause.occurred_at) for each in concerned]
    standings = load_standings(session, services, rule_set.happenings, wanted)
    earned = [
        (each.cause, some)
        for each, standing in zip(concerned, standings, strict=True)
        for some in earn_by(
            rule_set.happenings,
            each,
            Circumstances(
                each.cause.business_on, "", tiers=standing.tiers, segments=standing.segments
            ),
        )
    ]
    customers = {cause.customer_id for cause, _ in earned}
    book = ledger.open_book(session, customers, set(), recorded_at, settings)
    asked = [(some.rule, cause.customer_id, cause.business_on) for cause, some in earned]
    granting = Granting(load_allowances(session, asked))
    for cause, some in earned:
        granting.accrue(book, some, rule_set, cause)
    ledger.write(session, book)
    granting.write(session, recorded_at)
