import orjson
import pytest

from crmkit_schema.refusals import RequestRefused
from crmkit_schema.requests import GraphQLAnswer, GraphQLRequest, is_deeper_than, read_request


def refusal_of(body: bytes) -> tuple[int, str]:
    """Return status and error code of the refusal."""
    with pytest.raises(RequestRefused) as refused:
        read_request(body)
    return refused.value.status, refused.value.error_code


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"1",
        b'"x"',
        b"true",
        b"{",
        b"{} {}",
        b'{"query": NaN}',
        b'\xef\xbb\xbf{"query": "{ a }"}',
        b'{"query": "\xff"}',
        b'{"query": "\\ud800"}',
        b'{"query": "{ a }", "variables": {"x": Infinity}}',
        b'{"query": "{ a }", "variables": ' + b'{"x":' * 300 + b"1" + b"}" * 300,
        b"[" * 1_500 + b"]" * 500,
        b"{}",
        b'{"query": null}',
        b'{"query": ""}',
        b'{"query": 1}',
        b'{"query": ["{ a }"]}',
        b'{"query": "{ a }", "variables": []}',
        b'{"query": "{ a }", "variables": "{}"}',
        b'{"query": "{ a }", "variables": 0}',
        b'{"query": "{ a }", "operationName": 1}',
        b'{"query": "{ a }", "extensions": "x"}',
    ],
)
def test_a_body_that_is_no_request_is_refused(body: bytes) -> None:
    assert refusal_of(body) == (400, "BAD_REQUEST")


@pytest.mark.parametrize(
    "members",
    [
        {"documentId": 1},
        {"documentId": ""},
        {"documentId": "a", "query": ""},
        {"documentId": "a", "query": 1},
        {"documentId": "a", "extensions": {"persistedQuery": {"sha256Hash": "b"}}},
        {"extensions": {"persistedQuery": {}}},
        {"extensions": {"persistedQuery": "b"}},
        {"extensions": {"persistedQuery": {"sha256Hash": 1}}},
        {"extensions": {"persistedQuery": {"sha256Hash": ""}}},
        {"extensions": {"persistedQuery": {"version": 2, "sha256Hash": "b"}}},
        {"extensions": {"persistedQuery": None}},
    ],
)
def test_a_body_that_names_no_document_is_refused(members: dict[str, object]) -> None:
    assert refusal_of(orjson.dumps(members)) == (400, "BAD_REQUEST")


@pytest.mark.parametrize(
    "members",
    [
        {"documentId": "b"},
        {"documentId": "sha256:b", "query": None},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "b"}}},
        {"documentId": "sha256:b", "extensions": {"persistedQuery": {"sha256Hash": "b"}}},
    ],
)
def test_a_document_may_be_named_instead_of_sent(members: dict[str, object]) -> None:
    assert read_request(orjson.dumps(members)) == GraphQLRequest("", document_id="b")


def test_a_document_may_be_named_and_sent() -> None:
    body = b'{"query": "{ a }", "documentId": "sha256:b"}'

    assert read_request(body) == GraphQLRequest("{ a }", document_id="b")


@pytest.mark.parametrize("body", [b"[]", b'[{"query": "{ a }"}]', b"[1]", b"[[]]"])
def test_batches_are_refused(body: bytes) -> None:
    assert refusal_of(body) == (400, "BATCHING_DISABLED")


def test_a_refusal_repeats_nothing_of_the_body() -> None:
    with pytest.raises(RequestRefused) as refused:
        read_request(b'{"query": "{ a }", "token": "hunter2"')

    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("members", [{}, {"variables": None, "operationName": None}])
def test_null_members_count_as_absent(members: dict[str, None]) -> None:
    body = orjson.dumps({"query": "{ a }", "extensions": None} | members)

    assert read_request(body) == GraphQLRequest("{ a }")


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_variables_may_be_nested_32_levels_deep(opening: str, closing: str) -> None:
    def body(levels: int) -> bytes:
        inner = opening * (levels - 1) + "1" + closing * (levels - 1)
        return f'{{"query": "{{ a }}", "variables": {{"x": {inner}}}}}'.encode()

    assert read_request(body(32)).variables is not None
    assert refusal_of(body(33)) == (400, "VARIABLES_TOO_DEEP")


def test_depth_counts_the_deepest_branch() -> None:
    assert not is_deeper_than(0, "a value")
    assert is_deeper_than(0, {})
    assert not is_deeper_than(3, [1, {"a": [], "b": 2}, []])
    assert is_deeper_than(2, [1, {"a": [], "b": 2}, []])


def test_an_answer_has_data_only_if_something_ran() -> None:
    error = {"message": "no", "extensions": {"code": "NO"}}

    assert GraphQLAnswer({"a": 1}).body() == {"data": {"a": 1}}
    assert GraphQLAnswer(None, [error]).body() == {"data": None, "errors": [error]}
    assert GraphQLAnswer(None, [error], was_executed=False).body() == {"errors": [error]}
