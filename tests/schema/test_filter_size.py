"""A filter is as large as both databases can take, whatever its shape."""

from collections.abc import Callable
from typing import Any

import pytest

from crmkit_schema.conditions import CONDITIONS_MAX

CONDITIONS: dict[str, Callable[[int], dict[str, Any]]] = {
    "or": lambda count: {"or": [{"displayName": {"eq": "a"}}] * count},
    "and": lambda count: {"and": [{"displayName": {"eq": "a"}}] * count},
    "empty": lambda count: {"or": [{}] * count},
    "related": lambda count: {"metrics": {"or": [{"netMinor": {"gt": 1}}] * count}},
    "not": lambda count: {"and": [{"not": {"displayName": {"contains": "a"}}}] * count},
    "nested": lambda count: {"or": [{"and": [{"gender": {"ne": "FEMALE"}}] * (count - 1)}, {}]},
}


@pytest.mark.parametrize("kind", CONDITIONS)
def test_a_filter_has_a_number_of_conditions_at_most(api: Any, kind: str) -> None:
    query = "query ($x: CustomerFilter) { customers(filter: $x) { totalCount } }"
    made = CONDITIONS[kind]

    assert api(query, x=made(CONDITIONS_MAX))
    assert api.codes(query, x=made(CONDITIONS_MAX + 1)) == ["BAD_USER_INPUT"]
