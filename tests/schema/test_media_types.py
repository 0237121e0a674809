import pytest

from crmkit_schema.media_types import GRAPHQL_RESPONSE, JSON, answer_type, is_json, names_html


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (GRAPHQL_RESPONSE, GRAPHQL_RESPONSE),
        ("APPLICATION/JSON; charset=UTF-8", JSON),
        (f"{JSON}, {GRAPHQL_RESPONSE}", GRAPHQL_RESPONSE),
        (f"{GRAPHQL_RESPONSE};q=0.5, {JSON}", JSON),
        (f"{GRAPHQL_RESPONSE}, */*;q=0.1", GRAPHQL_RESPONSE),
        (f"{JSON};q=0, */*", GRAPHQL_RESPONSE),
        (f"{GRAPHQL_RESPONSE}, */*", GRAPHQL_RESPONSE),
        (f"text/html, {JSON};q=0.001", JSON),
        ("text/html", None),
        ("*/*;q=0", None),
        (f"{JSON};q=nan", None),
        (f"{JSON};q=2", None),
        (f"{JSON}; charset=latin-1", None),
        ("xx/application/json", None),
        (",;,=,", None),
    ],
)
def test_the_answer_has_the_media_type_the_client_prefers(
    accept: str | None, expected: str | None
) -> None:
    assert answer_type(accept) == expected


@pytest.mark.parametrize(
    "content_type",
    [JSON, "Application/JSON", f"{JSON};charset=utf-8", f'{JSON}; Charset="UTF-8"', f"{JSON};"],
)
def test_json_in_utf8_is_taken_however_it_is_spelt(content_type: str) -> None:
    assert is_json((content_type.encode(),))


@pytest.mark.parametrize("content_types", [[], [JSON, JSON], ["text/json"], [f"{JSON}; x"]])
def test_anything_else_is_not_json(content_types: list[str]) -> None:
    assert not is_json(tuple(each.encode() for each in content_types))


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("text/html,application/xhtml+xml,*/*;q=0.8", True),
        ("*/*", False),
        ("text/html;q=0", False),
        (JSON, False),
        (None, False),
    ],
)
def test_a_page_is_for_those_who_name_it(accept: str | None, expected: bool) -> None:
    assert names_html(accept) == expected
