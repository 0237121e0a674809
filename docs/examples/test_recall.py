from types import ModuleType
from typing import Any

import pytest

from crmkit import Actor, CustomerInput
from crmkit.testing import CrmFactory, sale
from crmkit_schema.requests import GraphQLRequest
from crmkit_schema.runtime import ComposedSchema

RECALLS = "{ customers { nodes { displayName recalls { id sku isClosed } } } }"
CLOSE = """mutation ($id: ID!) {
  closeRecall(id: $id) { ... on RecallCase { sku isClosed } ... on Problem { code } }
}"""


class Shop:
    """A crmkit with the plugin on, tea recalled, and one customer."""

    def __init__(self, crm_factory: CrmFactory, recall: ModuleType) -> None:
        self.crm = crm_factory(recall, plugin={"recall": {"skus": ["tea"]}})
        self.crm.upsert_customers([CustomerInput("till", "ann", display_name="Ann")])
        self._schema = ComposedSchema(self.crm)

    def ask(self, query: str, **variables: Any) -> Any:
        clerk = Actor("test", "clerk", self.crm.roles["clerk"])
        return self._schema.execute(GraphQLRequest(query, variables), clerk).data

    def recalls(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask(RECALLS)["customers"]["nodes"][0]["recalls"]
        return found


@pytest.fixture
def shop(crm_factory: CrmFactory, recall: ModuleType) -> Shop:
    return Shop(crm_factory, recall)


def test_whoever_buys_a_recalled_article_gets_a_case(shop: Shop) -> None:
    bought = [("tea", 2, "9.00"), ("cup", 1, "4.00")]

    shop.crm.record_transactions([sale("1", *bought, customer="ann")])

    assert [(each["sku"], each["isClosed"]) for each in shop.recalls()] == [("tea", False)]


def test_what_comes_back_and_what_nobody_is_known_to_have_bought_opens_no_case(shop: Shop) -> None:
    shop.crm.record_transactions(
        [sale("1", ("tea", -1, "9.00"), kind="return", customer="ann"), sale("2")]
    )

    assert shop.recalls() == []


def test_a_case_is_closed_once_and_stays_closed(shop: Shop) -> None:
    shop.crm.record_transactions([sale("1", customer="ann")])
    case = shop.recalls()[0]["id"]

    answers = [shop.ask(CLOSE, id=case)["closeRecall"] for _ in range(2)]

    assert answers == [{"sku": "tea", "isClosed": True}] * 2
    assert shop.recalls()[0]["isClosed"] is True


def test_an_id_that_names_no_case_is_a_problem_and_no_failure(shop: Shop) -> None:
    unknown = shop.ask(CLOSE, id="rcl_" + "0" * 32)["closeRecall"]
    foreign = shop.ask(CLOSE, id="cus_" + "0" * 32)["closeRecall"]

    assert unknown == foreign == {"code": "NOT_FOUND"}
