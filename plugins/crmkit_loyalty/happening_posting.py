"""Entries by earning rules for what is no sale, for everything that happened in a batch."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlmodel import Session

from crmkit import CustomerBatch, InteractionBatch, Services
from crmkit_loyalty import ledger
from crmkit_loyalty.earning import Cause, Earned
from crmkit_loyalty.earning_granting import Granting
from crmkit_loyalty.earning_limits import load_allowances
from crmkit_loyalty.earning_matching import Circumstances
from crmkit_loyalty.earning_rules import RuleSet
from crmkit_loyalty.earning_standing import load_standings
from crmkit_loyalty.happenings import Happening, earn_by, is_about
from crmkit_loyalty.programme import Programme, load_programme, unique
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
    instants = [each.cause.occurred_at for each in happenings]
    programme = load_programme(session, settings, instants)
    earned = list(_earned(session, happenings, programme, services))
    if not earned:
        return
    customers = {cause.customer_id for cause, *_ in earned}
    book = ledger.open_book(session, customers, set(), recorded_at, settings)
    asked = [(some.rule, cause.customer_id, cause.business_on) for cause, _, some in earned]
    granting = Granting(load_allowances(session, asked))
    for cause, rule_set, some in earned:
        granting.accrue(book, some, rule_set, cause)
    ledger.write(session, book)
    granting.write(session, recorded_at)


def _earned(
    session: Session, happenings: Sequence[Happening], programme: Programme, services: Services
) -> Iterator[tuple[Cause, RuleSet, Earned]]:
    """Give what rules give for what happened, each thing by the rules of its own time."""
    concerned = [
        (each, rule_set)
        for each in happenings
        for rule_set in (programme.at(each.cause.occurred_at),)
        if any(is_about(rule, each) for rule in rule_set.happenings)
    ]
    rules = [
        rule for each in unique(rule_set for _, rule_set in concerned) for rule in each.happenings
    ]
    wanted = [(each.cause.customer_id, each.cause.occurred_at) for each, _ in concerned]
    standings = load_standings(session, services, rules, wanted)
    for (each, rule_set), standing in zip(concerned, standings, strict=True):
        around = Circumstances(
            each.cause.business_on, "", tiers=standing.tiers, segments=standing.segments
        )
        for some in earn_by(rule_set.happenings, each, around):
            yield each.cause, rule_set, some
