"""Pages of lists: every row once, in order, whatever happens meanwhile."""

from typing import Any

import pytest

from crmkit import CustomerInput
from crmkit_schema.cursors import read_cursor, write_cursor

ORDERS = (
    None, "DISPLAY_NAME", "CREATED_AT", "UPDATED_AT", "METRICS_SALE_COUNT",
    "METRICS_RETURN_COUNT", "METRICS_NET_MINOR", "METRICS_PURCHASE_DAY_COUNT",
)  # fmt: skip
PAGE = """query($first: Int, $after: String, $last: Int, $before: String, $order: CustomerOrder,
    $filter: CustomerFilter) { customers(first: $first, after: $after, last: $last,
    before: $before, orderBy: $order, filter: $filter) { totalCount nodes { id displayName }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""


def page(api: Any, **arguments: Any) -> Any:
    return api(PAGE, **arguments)["customers"]


def walk(api: Any, size: int, *, backwards: bool = False, **arguments: Any) -> list[str]:
    """Return the ids of all rows, page by page."""
    found: list[str] = []
    cursor = None
    while True:
        way = {"last": size, "before": cursor} if backwards else {"first": size, "after": cursor}
        got = page(api, **way, **arguments)
        ids = [each["id"] for each in got["nodes"]]
        found = ids + found if backwards else found + ids
        info = got["pageInfo"]
        if not info["hasPreviousPage" if backwards else "hasNextPage"]:
            return found
        cursor = info["startCursor" if backwards else "endCursor"]


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
def test_every_order_gives_every_row_once_both_ways(api: Any, stock: Any, direction: str) -> None:
    stock(api.crm, 11)
    for field in ORDERS:
        order = {"field": field, "direction": direction} if field else None
        whole = [each["id"] for each in page(api, first=100, order=order)["nodes"]]

        assert len(set(whole)) == 11
        assert walk(api, 3, order=order) == whole
        assert walk(api, 4, order=order, backwards=True) == whole


@pytest.mark.parametrize("field", ["OCCURRED_AT", "RECORDED_AT", "TOTAL_MINOR"])
def test_transactions_can_be_walked_in_every_order(shop: Any, field: str) -> None:
    query = """query($after: String, $field: TransactionOrderField!) { transactions(first: 4,
        after: $after, orderBy: {field: $field}) { nodes { id } pageInfo { endCursor } } }"""

    first = shop(query, field=field)["transactions"]
    second = shop(query, field=field, after=first["pageInfo"]["endCursor"])["transactions"]

    ids = [each["id"] for each in (*first["nodes"], *second["nodes"])]
    assert len(ids) == len(set(ids)) == 6


def test_lists_are_not_sorted_through_rows_that_may_be_missing(api: Any) -> None:
    fields = api('{ __type(name: "TransactionOrderField") { enumValues { name } } }')

    names = {each["name"] for each in fields["__type"]["enumValues"]}
    assert names == {"OCCURRED_AT", "RECORDED_AT", "TOTAL_MINOR"}


@pytest.fixture
def crm(crm_factory: Any) -> Any:
    return crm_factory(profile="development")


def test_rows_that_come_in_between_move_no_page(api: Any, stock: Any) -> None:
    stock(api.crm, 6)
    order = {"field": "DISPLAY_NAME"}
    before = [each["id"] for each in page(api, first=100, order=order)["nodes"]]
    first = page(api, first=3, order=order)

    api.crm.upsert_customers([CustomerInput("x", "1", display_name="Aaron")])
    rest = page(api, first=100, order=order, after=first["pageInfo"]["endCursor"])

    assert [each["id"] for each in (*first["nodes"], *rest["nodes"])] == before


def test_the_page_behind_the_last_row_is_empty(shop: Any) -> None:
    end = page(shop, first=3)["pageInfo"]["endCursor"]

    assert page(shop, first=3, after=end)["nodes"] == []
    assert page(shop, first=3, after=end)["pageInfo"] == {
        "hasNextPage": False, "hasPreviousPage": True, "startCursor": None, "endCursor": None,
    }  # fmt: skip


@pytest.mark.parametrize("size", [1, 100])
def test_a_page_has_one_to_a_hundred_rows(shop: Any, size: int) -> None:
    assert len(page(shop, first=size)["nodes"]) == min(size, 3)
    assert len(page(shop, last=size)["nodes"]) == min(size, 3)


@pytest.mark.parametrize("size", [0, 101, -1])
def test_other_sizes_are_refused(shop: Any, size: int) -> None:
    assert shop.codes(PAGE, first=size) == ["PAGE_SIZE"]
    assert shop.codes(PAGE, last=size) == ["PAGE_SIZE"]


def test_a_page_lies_on_one_side_of_its_cursor(shop: Any) -> None:
    cursor = page(shop, first=1)["pageInfo"]["endCursor"]

    for both in ({"first": 1, "last": 1}, {"after": cursor, "before": cursor},
                 {"first": 1, "before": cursor}):  # fmt: skip
        assert shop.codes(PAGE, **both) == ["BAD_USER_INPUT"]


def test_the_total_counts_what_the_filter_keeps_on_all_pages(shop: Any) -> None:
    kept = page(shop, first=1, filter={"metrics": {"netMinor": {"gt": 1000}}})

    assert kept["totalCount"] == 2
    assert len(kept["nodes"]) == 1


def forged(order_name: str, *values: Any) -> str:
    """Return a cursor that is written as ours are, with whatever in it."""
    return write_cursor(values, order_name)


@pytest.mark.parametrize(
    "cursor",
    [
        "", "%", "ümlaut", "AAAA", "x" * 5000, forged("Customer"), forged("Customer", 1, 2),
        forged("Customer", "2026-01-01", "0" * 32), forged("Customer", None, None),
        forged("Customer", "2026-01-01T00:00:00+00:00", "not-an-id"),
        forged("Transaction", "2026-01-01T00:00:00+00:00", "0" * 32),
        forged("Customer", "0001-01-01T00:00:00+23:00", "0" * 32),
        forged("Customer", {"a": 1}, [2]), "bnVsbA", "e30", "MQ",
    ],
)  # fmt: skip
def test_a_cursor_that_is_not_ours_is_refused(shop: Any, cursor: str) -> None:
    assert shop.codes(PAGE, after=cursor) == ["BAD_USER_INPUT"]
    assert shop.codes(PAGE, before=cursor) == ["BAD_USER_INPUT"]


def test_a_cursor_that_is_written_by_hand_is_as_good_as_ours(shop: Any) -> None:
    by_hand = forged("Customer", "2199-01-01T00:00:00+00:00", "0" * 32)

    assert len(page(shop, first=5, after=by_hand)["nodes"]) == 3


def test_a_cursor_of_another_order_is_refused(shop: Any) -> None:
    up = page(shop, first=1, order={"field": "DISPLAY_NAME"})["pageInfo"]["endCursor"]

    down = {"field": "DISPLAY_NAME", "direction": "DESC"}
    for order in (None, down, {"field": "CREATED_AT"}):
        assert shop.codes(PAGE, after=up, order=order) == ["BAD_USER_INPUT"]


@pytest.mark.parametrize("name", ["a\\nb", "a\nb", 'a"b|c,d', "王", "a\\\\n", "x:y"])
def test_a_cursor_keeps_its_values(name: str) -> None:
    assert read_cursor(write_cursor([name, 2**40], "T"), "T", [str, int]) == [name, 2**40]


def test_names_of_any_letters_can_be_walked(api: Any) -> None:
    names = ["a\\nb", "a\nb", 'q"|,', "王小明", "émile", "Émile"]
    api.crm.upsert_customers(
        [CustomerInput("x", str(n), display_name=name) for n, name in enumerate(names)]
    )

    assert len(set(walk(api, 1, order={"field": "DISPLAY_NAME"}))) == len(names)
