"""What shows a mismatch is told in few words."""

from graphql import parse, print_ast
from tests.schema.engine.shrinking import shrunk

TEXT = """query Drawn($a: Int, $b: Int) { x(first: $a, last: 3) { y { ...F } ... on Y { wrong z } }
    u(v: $b) { ...F } } fragment F on Y { one two }"""


def test_a_document_is_cut_down_to_what_matters() -> None:
    found = shrunk(TEXT, lambda text: "wrong" in text)

    assert found == print_ast(parse("query Drawn { x { wrong } }"))


def test_fragments_and_variables_stay_where_they_matter() -> None:
    found = shrunk(TEXT, lambda text: "two" in text and "$b" in text)

    expected = "query Drawn($b: Int) { u(v: $b) { ...F } } fragment F on Y { two }"
    assert found == print_ast(parse(expected))
