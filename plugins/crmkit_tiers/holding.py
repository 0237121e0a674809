"""Which tiers were held at some moment: the service `tiers.held`."""

from collections.abc import Mapping, Sequence

from sqlmodel import Session

from crmkit import Service
from crmkit_tiers.multiplying import Wanted, spells_of
from crmkit_tiers.settings import TiersSettings


def held_service(settings: TiersSettings) -> Service:
    """Return the service, bound to the tier sets of one application."""

    def call(session: Session, wanted: Sequence[Wanted]) -> list[Mapping[str, str]]:
        return held(session, settings, wanted)

    return Service(
        "tiers.held",
        1,
        "Takes a session and pairs of a customer's id and a moment; gives for each pair, in order, "
        "the tier held just before it, by tier set.",
        call,
    )


def held(
    session: Session, settings: TiersSettings, wanted: Sequence[Wanted]
) -> list[Mapping[str, str]]:
    """Return the tiers that customers held just before some moments, in every tier set.

    Who never had a tier holds the first.
    """
    spells = spells_of(session, list(settings.sets), wanted)
    found: list[Mapping[str, str]] = []
    for who, at in wanted:
        tiers = {}
        for name, tier_set in settings.sets.items():
            before = [tier for since, tier in spells[(who, name)] if since < at]
            tiers[name] = before[-1] if before else tier_set.tiers[0].name
        found.append(tiers)
    return found
