"""What a tier is worth, as data. Pure."""

from collections.abc import Mapping

from crmkit_tiers.settings import Benefit, Tier, TiersSettings

POINT_MULTIPLIER = "point_multiplier"


def benefits_of(settings: TiersSettings, set_name: str, tier_name: str) -> Mapping[str, Benefit]:
    """Return a tier's benefits by name; none for a tier that is no more."""
    tier_set = settings.sets.get(set_name)
    tiers = tier_set.tiers if tier_set else ()
    return next((_benefits(tier) for tier in tiers if tier.name == tier_name), {})


def _benefits(tier: Tier) -> Mapping[str, Benefit]:
    if tier.point_multiplier == 1:
        return tier.benefits
    return {POINT_MULTIPLIER: tier.point_multiplier, **tier.benefits}
