"""Random requests after the grammar of GraphQL: some good, most bad, some of them huge."""

from collections.abc import Sequence
from typing import Any

from graphql import GraphQLSchema, is_input_object_type, is_interface_type, is_object_type
from hypothesis import strategies as st
from tests.hostile.documents import BYTES_MAX

Text = st.SearchStrategy[str]
_ODD = ("a", "__typename", "__schema", "F0", "F1", "on", "_" * 500, "null")


def nasty_requests(schema: GraphQLSchema) -> st.SearchStrategy[dict[str, Any]]:
    """Return requests with names of a schema, none larger than a body may be."""
    grammar = _Grammar(schema)
    return st.builds(
        _request, grammar.documents(), st.none() | _variables(grammar.words), st.booleans()
    )


def _request(query: str, variables: Any, is_named: bool) -> dict[str, Any]:
    made: dict[str, Any] = {"query": query or " ", "variables": variables}
    return {**made, "operationName": "Q0"} if is_named else made


class _Grammar:
    def __init__(self, schema: GraphQLSchema) -> None:
        fields, arguments = set[str](), set[str]()
        for type_ in schema.type_map.values():
            if is_object_type(type_) or is_interface_type(type_):
                fields |= type_.fields.keys()
                arguments |= {name for each in type_.fields.values() for name in each.args}
            elif is_input_object_type(type_):
                arguments |= type_.fields.keys()
        self.words = sorted(arguments)
        self.fields = _names(sorted(fields))
        self.arguments = _names(self.words)
        self.types = _names(sorted(schema.type_map))

    def documents(self) -> Text:
        definition = st.one_of(
            self._operation(),
            st.builds(
                "fragment F{} on {} {}".format, st.integers(0, 3), self.types, self._selections()
            ),
        )
        return st.lists(definition, min_size=1, max_size=5).map(" ".join).flatmap(_damaged)

    def _operation(self) -> Text:
        kinds = st.sampled_from(("query", "mutation", "subscription"))
        variable = st.builds("$v{}: {} {}".format, st.integers(0, 3), self._type(), self._default())
        head = st.lists(variable, max_size=3).map(
            lambda some: f"({' '.join(some)})" if some else ""
        )
        named = st.builds("{} Q{}{} {}".format, kinds, st.integers(0, 2), head, self._selections())
        return self._selections() | named

    def _type(self) -> Text:
        lists = st.integers(0, 40)
        return st.builds(lambda name, n: "[" * n + name + "]" * n, self.types, lists)

    def _default(self) -> Text:
        return st.just("") | self._value().map(" = {}".format)

    def _selections(self) -> Text:
        return st.recursive(st.just("{ id }"), self._longer, max_leaves=30)

    def _longer(self, inner: Text) -> Text:
        leaf = st.builds("{}{}{}".format, self.fields, self._given(), self._directives())
        member = st.one_of(
            leaf,
            st.builds("{} {}".format, leaf, inner),
            st.builds("a{}: {} {}".format, st.integers(0, 2), leaf, inner),
            st.integers(0, 4).map("...F{}".format),
            st.builds("... on {} {}".format, self.types, inner),
            st.builds("... {}".format, inner),
        )
        times = st.sampled_from((1, 1, 1, 2, 10, 60, 400))
        repeated = st.builds(_times, member, times)
        several = st.lists(repeated, min_size=1, max_size=4).map(" ".join)
        levels = st.sampled_from((1, 1, 1, 5, 40))
        return st.builds(lambda some, n: "{ a " * (n - 1) + f"{{ {some} }}" + " }" * (n - 1),
                         several, levels)  # fmt: skip

    def _given(self) -> Text:
        pair = st.builds("{}: {}".format, self.arguments, self._value())
        return st.just("") | st.lists(pair, min_size=1, max_size=3).map(
            lambda s: f"({' '.join(s)})"
        )

    def _directives(self) -> Text:
        one = st.builds(" @{}(if: {})".format, st.sampled_from(("skip", "include", "d")),
                        self._value())  # fmt: skip
        return st.just("") | st.builds(
            lambda each, n: each * n, one, st.sampled_from((1, 2, 6, 60))
        )

    def _value(self) -> Text:
        leaf = st.one_of(
            st.integers().map(str),
            st.sampled_from(("9" * 2_000, "1e999", "-0.0", "true", "null", "ALL", "$v0", "$v9")),
            st.text(max_size=20).map(lambda text: f'"{text}"'),
            st.text(max_size=20).map(lambda text: f'"""{text}"""'),
        )

        def longer(inner: Text) -> Text:
            pair = st.builds("{}: {}".format, self.arguments, inner)
            many = st.builds(lambda each, n: f"[{_times(each, n)}]", inner,
                             st.sampled_from((1, 2, 30, 300)))  # fmt: skip
            return many | st.lists(pair, max_size=3).map(lambda some: f"{{{' '.join(some)}}}")

        return st.recursive(leaf, longer, max_leaves=8)


def _times(text: str, times: int) -> str:
    """Return a text several times, as often as it fits into a fraction of a body."""
    return " ".join([text] * max(1, min(times, 20_000 // (len(text) + 1))))


def _names(words: Sequence[str]) -> Text:
    return st.sampled_from((*words, *_ODD))


def _damaged(text: str) -> Text:
    """Return a document as it is, cut, with a sign too many, or with a part of it many times."""
    text = text[:50_000]
    place = st.integers(0, len(text))
    sign = st.sampled_from(tuple('{}()[]:$!@#"\\.,&|=\0\ufeff\n'))
    return st.one_of(
        st.just(text),
        st.just(text),
        place.map(lambda at: text[:at]),
        st.builds(lambda at, each: text[:at] + each + text[at:], place, sign),
        st.builds(_repeated, st.just(text), place, place, st.sampled_from((2, 20, 10_000))),
    )


def _repeated(text: str, begin: int, end: int, times: int) -> str:
    begin, end = min(begin, end), max(begin, end)
    room = (BYTES_MAX // 4 - len(text)) // max(1, end - begin)
    return text[:begin] + text[begin:end] * max(1, min(times, room)) + text[end:]


def _listed(value: Any, times: int) -> list[Any]:
    return [value] * max(1, min(times, 20_000 // (len(str(value)) + 1)))


def _variables(words: Sequence[str]) -> st.SearchStrategy[dict[str, Any]]:
    leaf = st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.text(max_size=9)
    keys = st.sampled_from(words)

    def longer(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        times = st.sampled_from((1, 3, 1_000))
        objects = st.dictionaries(keys, inner, max_size=4)
        return objects | st.builds(_listed, inner, times)

    values = st.recursive(leaf, longer, max_leaves=6)
    named = st.dictionaries(st.sampled_from(("v0", "v1", "v2")), values, max_size=3)
    return named.filter(lambda made: len(str(made)) < BYTES_MAX // 3)
