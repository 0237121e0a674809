"""What counts as the same answer, and what does not."""

from typing import Any

import pytest
from tests.schema.engine.comparing import are_same, said

from crmkit_schema.requests import GraphQLAnswer

ERROR = {"message": "m", "locations": [{"line": 1, "column": 2}], "path": ["a", 0],
         "extensions": {"code": "C"}}  # fmt: skip
INTERNAL = "something went wrong here; the operator finds it as "


def test_the_same_is_the_same() -> None:
    assert same({"a": [1, None, "名"]}, {"a": [1, None, "名"]})
    assert same({"a": 3}, {"a": 3.0})


@pytest.mark.parametrize(
    ("planned", "expected"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"a": 3.0}, {"a": 3}),
        ({"a": 1}, {"a": True}),
        ({"a": 1}, {"a": "1"}),
        ({"a": None}, {}),
        ({"a": []}, {"a": None}),
        ({"a": [1, 2]}, {"a": [2, 1]}),
        ({"a": 0.1}, {"a": 0.10000000000000002}),
    ],
)
def test_data_that_differ_are_found(planned: Any, expected: Any) -> None:
    assert not same(planned, expected)


@pytest.mark.parametrize(
    "change",
    [
        {"path": ["a", 1]},
        {"message": "n"},
        {"extensions": {"code": "D"}},
        {"locations": [{"line": 1, "column": 3}]},
    ],
)
def test_errors_that_differ_are_found(change: dict[str, Any]) -> None:
    planned, expected = (GraphQLAnswer(None, [ERROR | each]) for each in (change, {}))
    assert not are_same(said(planned), said(expected))


def test_references_may_be_any_but_must_be_shared_alike() -> None:
    shared, other, apart = internal("a", "a"), internal("b", "b"), internal("a", "b")

    assert shared == other
    assert shared != apart


def internal(*digits: str) -> bytes:
    errors = [
        {"message": INTERNAL + each * 12, "extensions": {"reference": each * 12}} for each in digits
    ]
    return said(GraphQLAnswer(None, errors))


def same(planned: Any, expected: Any) -> bool:
    return are_same(said(GraphQLAnswer(planned)), said(GraphQLAnswer(expected)))
