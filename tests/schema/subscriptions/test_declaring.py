"""What a subscription must say about itself, and what a schema makes of it."""

from typing import Any

import pytest
import strawberry

from crmkit import Announcement, Event, PluginError, SchemaContribution
from crmkit_schema import (
    PUBLIC,
    Connection,
    Customer,
    Transaction,
    mapped,
    object_type,
    subscription,
)

SEEN = Event("extra.seen")


def _of(**fields: Any) -> SchemaContribution:
    annotations = {name: type_ for name, (type_, _) in fields.items()}
    declared = {name: field for name, (_, field) in fields.items()}
    cls = strawberry.type(type("Some", (), {"__annotations__": annotations, **declared}))
    return SchemaContribution(subscriptions=[cls])


def test_a_plugin_s_subscription_takes_a_customer_and_the_arguments_of_its_choice(
    api_with: Any,
) -> None:
    def dear(news: Announcement, _context: Any, *, above: int = 5) -> Any:
        return news.id if above else None

    declared = subscription("Seen.", event=SEEN, choose=dear, permission="extra.see")
    api = api_with(_of(seen=(Transaction, declared)), "extra.see")

    _, _, rest = api.schema.sdl().partition("  seen(\n")
    assert rest.startswith(
        '    """Only what belongs to this customer."""\n'
        "    customerId: ID\n    above: Int! = 5\n  ): Transaction\n"
    )


@object_type(None, permission=PUBLIC)
class Loose:
    """An object of Python's."""

    name: str = strawberry.field(description="Its name.")


@pytest.mark.parametrize(
    ("type_", "declared", "reason"),
    [
        (Loose, {"permission": "extra.see"}, "of a type that has none"),
        (list[Customer], {"permission": "extra.see"}, "one row at a time"),
        (Connection[Customer], {"permission": "extra.see"}, "one row at a time"),
        (Customer, {"permission": "extra.lost"}, "which no manifest declares"),
    ],
)
def test_a_subscription_that_cannot_be_delivered_stops_the_start(
    api_with: Any, type_: Any, declared: Any, reason: str
) -> None:
    field = subscription("Seen.", event=SEEN, **declared)

    with pytest.raises(PluginError, match=f"'extra'.*Subscription.seen.*{reason}"):
        api_with(_of(seen=(type_, field)), "extra.see")


@object_type(Transaction.__crmkit__.source, permission=PUBLIC, name="Glimpse")  # type: ignore[attr-defined]
class Glimpse:
    """A sale that everybody may see."""

    kind: str = mapped("What happened.")


def test_a_subscription_without_a_permission_stops_the_start(api_with: Any) -> None:
    with pytest.raises(PluginError, match=r"'extra'.*Subscription\.seen declares no permission"):
        api_with(_of(seen=(Glimpse, subscription("Seen.", event=SEEN))), "extra.see")


def test_a_name_that_is_taken_names_both_owners(api_with: Any) -> None:
    field = subscription("Changed.", event=SEEN)

    with pytest.raises(PluginError, match=r"'extra'.*Subscription\.customerChanged.*'core'"):
        api_with(_of(customer_changed=(Customer, field)))


@pytest.mark.parametrize(
    "made",
    [
        lambda cls: SchemaContribution(queries=[cls]),
        lambda cls: SchemaContribution(mutations=[cls]),
    ],
)
def test_a_subscription_has_no_place_at_another_root(api_with: Any, made: Any) -> None:
    (cls,) = _of(seen=(Customer, subscription("Seen.", event=SEEN))).subscriptions

    with pytest.raises(PluginError, match="cannot be declared announced at the root"):
        api_with(made(cls))


def test_a_subscription_has_no_place_below_the_root(api_with: Any) -> None:
    (cls,) = _of(seen=(Customer, subscription("Seen.", event=SEEN))).subscriptions

    with pytest.raises(PluginError, match="cannot be declared announced below the root"):
        api_with(SchemaContribution(extends={"Customer": cls}))


def test_a_query_s_field_has_no_place_among_subscriptions(api_with: Any) -> None:
    with pytest.raises(PluginError, match="cannot be declared mapped at the root"):
        api_with(_of(seen=(Customer, mapped("Seen."))))


def test_a_subscription_that_is_asked_for_plainly_says_how_to_subscribe(api: Any) -> None:
    assert api.codes("subscription { customerChanged { id } }") == ["SUBSCRIPTION_NOT_STREAMED"]


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (
            "subscription { customerChanged { id } transactionRecorded { id } }",
            "GRAPHQL_VALIDATION_FAILED",
        ),
        ("subscription { __typename }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { customerChanged { " + "".join(f"a{n}: id " for n in range(31)) + "} }",
         "ALIAS_LIMIT"),
        ("subscription { customerChanged " + "{ transactions { nodes { customer " * 5 + "{ id }"
         + " } } }" * 5 + "}", "DEPTH_LIMIT"),
        ("subscription { customerChanged { transactions(first: 100) { nodes { customer { "
         "transactions(first: 100) { nodes { customer { transactions(first: 100) { nodes { id } }"
         " } } } } } } } }", "COST_LIMIT"),
    ],
)  # fmt: skip
def test_documents_are_measured_like_all_others(api: Any, document: str, code: str) -> None:
    assert api.codes(document) == [code]
