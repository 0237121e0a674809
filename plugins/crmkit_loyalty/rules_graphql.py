"""Earning rules as GraphQL gives and takes them; every rule is in the service."""

from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
import strawberry
from sqlalchemy import select
from strawberry import Info
from strawberry.scalars import JSON

from crmkit import table_of
from crmkit_loyalty.earning_errors import WrongEarningRules
from crmkit_loyalty.earning_models import EarningRulesVersion as Version
from crmkit_loyalty.expiry_graphql import settings_of
from crmkit_loyalty.rule_setting import set_rules
from crmkit_schema import (
    PUBLIC,
    Connection,
    DateTimeInput,
    RequestContext,
    connection,
    mapped,
    mutation,
    object_type,
    problem_type,
    related,
    resolved,
    value_type,
)

_version = table_of(Version)


@object_type(Version, permission="loyalty.read", sorted_by=("-valid_from", "-id"), node="erv")
class EarningRulesVersion:
    """Earning rules that were set to be valid from some time on."""

    version: str = mapped("Digest of the rules, as `rules_version` in explanations has it.")
    rules: JSON = mapped("All rules, in the form of the settings.")
    valid_from: datetime = mapped("Sales from then on earn by them.", filter=True, sort=True)
    recorded_at: datetime = mapped("When they were set.", filter=True, sort=True)
    actor: str = mapped("Who set them.", filter=True)


@object_type(None, permission=PUBLIC)
class EarningRules:
    """The earning rules that are valid at some time."""

    rules: JSON = strawberry.field(description="All rules, in the form of the settings.")
    version: str = strawberry.field(
        description="Digest of the rules, as `rules_version` in explanations has it."
    )
    set_id: strawberry.Private[UUID | None]
    set_by: EarningRulesVersion | None = related(
        "Who set them, and from when on; null for those of the settings.", parent="set_id"
    )


@strawberry.type
class RulesQuery:
    """What can be asked about earning rules."""

    earning_rules_versions: Connection[EarningRulesVersion] = connection(
        "Earning rules that were set, the latest to begin first."
    )

    @resolved(
        "The earning rules that are valid at a time, now if left out.", permission="loyalty.read"
    )
    def earning_rules(self, info: Info, at: datetime | None = None) -> EarningRules:
        """Look them up."""
        context: RequestContext = info.context
        begun = _version.c.valid_from <= (context.now if at is None else at)
        latest = (_version.c.valid_from.desc(), _version.c.id.desc())
        found = context.rows(select(_version).where(begun).order_by(*latest).limit(1))
        if found:
            row = found[0]
            return EarningRules(rules=row["rules"], version=row["version"], set_id=row["id"])
        own = settings_of(context).rule_set
        return EarningRules(rules=orjson.loads(own.text), version=own.version, set_id=None)


@strawberry.input(description="Earning rules to be valid from some time on.")
class SetEarningRulesInput:
    """All rules of the programme."""

    rules: list[JSON] = strawberry.field(
        description="All rules, each an object with the fields of the settings; an empty list lets "
        "money earn as `points_per_major_unit` says."
    )
    valid_from: DateTimeInput | None = strawberry.field(
        default=None, description="Not in the past; now if left out."
    )
    idempotency_key: str = strawberry.field(
        description="Made by the caller, once for each time rules are set; sending it again gives "
        "the first answer."
    )


@object_type(None, permission=PUBLIC)
class SetEarningRulesSuccess:
    """The rules that were set, as it was answered the first time."""

    version_id: strawberry.Private[UUID]
    version: EarningRulesVersion = related("What was set.", parent="version_id")


@value_type
class EarningRuleMistake:
    """One thing wrong with earning rules."""

    position: int | None = strawberry.field(
        description="Position of the rule in the list that was sent, from 0; null for the list."
    )
    rule: str | None = strawberry.field(description="Name of the rule.")
    field: str = strawberry.field(
        description="Path inside the rule; empty for the rule as a whole."
    )
    value: str | None = strawberry.field(description="The value, cut to 100 characters.")
    message: str = strawberry.field(description="One sentence, for people.")


@problem_type(WrongEarningRules)
class EarningRulesProblem:
    """The rules make no sense by themselves or together; everything found is listed."""

    mistakes: list[EarningRuleMistake] = strawberry.field(description="In the order of the rules.")


@strawberry.type
class RulesMutation:
    """What can be done with earning rules."""

    @mutation(
        "Let earning rules be valid from some time on, instead of those before. Sales earn by the "
        "rules of their own time, also if they come in late.",
        permission="loyalty.rules",
        problems=(EarningRulesProblem,),
    )
    def set_earning_rules(self, info: Info, input: SetEarningRulesInput) -> SetEarningRulesSuccess:
        """Set rules."""
        context: Any = info.context
        version = context.crm.write(
            lambda session: set_rules(
                session,
                input.rules,
                input.valid_from,
                key=input.idempotency_key,
                actor=context.actor.name,
                now=context.now,
                settings=settings_of(context),
                interaction_kinds=context.crm.registry.interaction_kinds,
            )
        )
        return SetEarningRulesSuccess(version_id=version.id)
