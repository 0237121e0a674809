"""Documents that were made to hurt, each as large as a request may be."""

from collections.abc import Callable, Iterator
from typing import Any

BYTES_MAX = 200_000
Request = dict[str, Any]
"""What is posted: a query, and variables if it has any."""

_ROWS = "mutation ($rows: [CustomerInput!]!) { upsertCustomers(input: {customers: $rows}) "
_INTO, _FACTS = "input: {transactions: $rows})", "input: {interactions: $rows})"
_PROBLEMS = "{ ... on ValidationProblem { problems { code } } } }"
_LEVELS = ("customers(first: 2)", "nodes", "transactions(first: 2)", "nodes", "customer")


def requests() -> Iterator[tuple[str, Request]]:
    """Yield every document with its name."""
    for make in _MAKERS:
        made = make()
        for position, each in enumerate(made if isinstance(made, list) else [made]):
            name = make.__name__.strip("_")
            yield f"{name}_{position}" if position else name, _cut(each)


def _cut(given: str | Request) -> Request:
    return {"query": given} if isinstance(given, str) else given


def filled(*parts: str, to: int = BYTES_MAX - 200) -> str:
    """Return the beginning, as many middles as there is room for, and the end."""
    begin, middle, end = parts
    count = (to - len(begin) - len(end)) // len(middle)
    return begin + middle * count + end


def numbered(begin: str, make: Callable[[int], str], end: str, most: int = 10**6) -> str:
    """Return the beginning, as many numbered middles as there is room for, and the end."""
    parts, length = [begin], len(begin) + len(end)
    for number in range(most):
        part = make(number)
        length += len(part)
        if length > BYTES_MAX - 200:
            break
        parts.append(part)
    return "".join(parts) + end


def _doubling_fragments() -> str:
    spreads = "".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }} " for n in range(20))
    return f"{{ ...F0 }} {spreads} fragment F20 on Query {{ __typename }}"


def _doubling_aliased_fragments() -> str:
    spreads = "".join(
        f"fragment F{n} on Customer {{ a{n}: displayName ...F{n + 1} ...F{n + 1} }} "
        for n in range(20)
    )
    last = "fragment F20 on Customer { id }"
    return f"{{ customers(first: 1) {{ nodes {{ ...F0 }} }} }} {spreads} {last}"


def _fragments_of_fragments() -> str:
    return numbered(
        "{ customers { nodes { ...F0 } } } ",
        lambda n: f"fragment F{n} on Customer {{ id ...F{n + 1} }} ",
        "",
        180,
    )


def _circular_fragments() -> list[str]:
    ring = numbered("{ ...F0 } ", lambda n: f"fragment F{n} on Query {{ ...F{n + 1} }} ", "", 150)
    all_to_all = "".join(
        f"fragment F{n} on Query {{ {' '.join(f'...F{m}' for m in range(18))} }} "
        for n in range(18)
    )
    return [
        ring + "fragment F150 on Query { ...F0 }",
        "{ ...A } fragment A on Query { ...A }",
        "{ ...F0 } " + all_to_all,
    ]


def _ten_thousand_fragments() -> list[str]:
    return [
        numbered("{ __typename } ", lambda n: f"fragment F{n} on Query{{id}} ", ""),
        numbered("{ __typename } ", lambda n: f"fragment F{n} on Query {{ id }} ", "", 180),
        numbered("{ __typename } ", lambda n: f"fragment F on Nothing{n} {{ id }} ", "", 180),
        numbered("{", lambda n: f" ...F{n}", " __typename }"),
        numbered("{", lambda n: f" ...F{n}", " __typename }", 480),
    ]


def _nested_lists() -> str:
    inside = "{ id }"
    for level in ("nodes", "transactions(first: 60)", "nodes", "lines(first: 60)"):
        inside = f"{{ {level} {inside} }}"
    return f"{{ customers(first: 60) {inside} }}"


def _twenty_thousand_aliases() -> list[str]:
    return [
        numbered("{", lambda n: f" a{n}: __typename", " }"),
        numbered("{", lambda n: f" a{n}: customers {{ totalCount }}", " }", 20),
    ]


def _repeated_fields_with_arguments() -> list[str]:
    field = "customers(first: 1) { totalCount } "
    metered = "transactions(first: 1) { totalCount } "
    return [
        "{" + field * 500 + "}",
        "{ customers { nodes { " + metered * 130 + "} } }",
        "{ customers { nodes {" + " displayName" * 480 + " } } }",
        "{ customers { nodes {" + " ... { displayName }" * 360 + " } } }",
        "{ customers { nodes {" + " ... on Customer { id tags { tag } }" * 140 + " } } }",
    ]


def _many_pairs_of_fields() -> list[str]:
    """Return documents whose fields must be compared with one another, within the limits."""
    leaf = "id displayName givenName familyName birthOn gender createdAt"
    part = f"... on Customer {{ {leaf} tags {{ tag }} }} "
    deep = f"transactions(first: 1) {{ nodes {{ id {'... { id kind occurredAt } ' * 9} }} }} "
    spread = "".join(f"fragment F{n} on Customer {{ {leaf} ...F{n + 1} }} " for n in range(40))
    return [
        "{ customers(first: 1) { nodes { " + part * 9 + "} } }",
        "{ customers(first: 1) { nodes { " + deep * 9 + "} } }",
        "{ customers(first: 1) { nodes { ...F0 } } } " + spread + "fragment F40 on Customer { id }",
        "{ customers(first: 1) { nodes { "
        + " ".join(f"...F{n}" for n in range(9))
        + " } } } "
        + "".join(f"fragment F{n} on Customer {{ {part * 4} }} " for n in range(9)),
    ]


def _deep_nesting() -> list[str]:
    return [
        filled("{", " a {", " b" + " }" * 10),
        "{" + " a {" * 200 + " b" + " }" * 201,
        "{" + " a {" * 370 + " b" + " }" * 371,
        "".join(f"{{ {level} " for level in _LEVELS * 20) + "{ id }" + " }" * 100,
        "{" + " ... {" * 300 + " __typename" + " }" * 301,
        "{" + " ... @skip(if: false) {" * 100 + " __typename" + " }" * 101,
    ]


def _deep_literals() -> list[str]:
    query = "{{ customers(filter: {}) {{ totalCount }} }}"
    return [
        query.format("[" * 600 + "]" * 600),
        query.format("{not: " * 200 + "{}" + "}" * 200),
        query.format("{not: " * 31 + "{displayName: {eq: null}}" + "}" * 31),
        query.format("{and: [" * 14 + "{}, " * 100 + "]}" * 14),
        filled("{ customers(filter: ", "[", ") { totalCount } }"),
        "query ($x: " + "[" * 700 + "Int" + "]" * 700 + ") { __typename }",
        filled("query ($x: ", "[", "Int) { __typename }"),
    ]


def _huge_strings() -> list[str]:
    block = '"""'
    return [
        filled('{ customer(phone: "', "x", '") { id } }'),
        filled('{ customer(phone: "', r"\u00e9", '") { id } }', to=160_000),
        filled('{ customer(phone: "', r"\n", '") { id } }', to=130_000),
        filled('{ customer(phone: "', r"\ud800", '") { id } }', to=160_000),
        filled(f"{{ customer(phone: {block}", " \n", f"{block}) {{ id }} }}", to=130_000),
        filled(f"{{ customer(phone: {block}", '\\"""', f"{block}) {{ id }} }}", to=98_000),
        filled('{ customer(phone: "', "x", ""),
        filled('{ customers(filter: {displayName: {contains: "', "%_", '"}}) { totalCount } }'),
        filled('{ customers(after: "', "QUFB", '") { totalCount } }'),
        filled('{ node(id: "cus_', "0", '") { id } }'),
        filled("{ ", "a", " }"),
        filled("{ customers { nodes { ", "a", " } } }"),
        filled("{ customers(", "a", ": 1) { totalCount } }"),
        filled("query ($", "a", ": Int) { __typename }"),
        filled("{ ...", "a", " }"),
        filled("query ($x: ", "A", ") { __typename }"),
    ]


def _ignored_signs() -> list[str]:
    return [
        filled("{ __typename }", " ", ""),
        filled("{ __typename }", ",", ""),
        filled("{ __typename }", "\n", "", to=99_000),
        filled("{ __typename }", "#\n", "", to=130_000),
        filled("{ __typename } #", "x", ""),
        filled("", "\ufeff", "{ __typename }", to=60_000),
        filled("{ __typename ", "?", "}"),
        filled("{ __typename ", "}", ""),
        filled("", "\n", "{ nobody }", to=99_000),
    ]


def _huge_numbers() -> list[str]:
    return [
        filled("{ customers(first: ", "9", ") { totalCount } }"),
        filled("{ customers(first: ", "9", ") { totalCount } }", to=1_000),
        filled("{ customers(first: -1.", "9", "e99999999) { totalCount } }", to=1_000),
        "{ customers(first: 1e999999999) { totalCount } }",
        filled("{ customers(filter: {metrics: {netMinor: {eq: ", "9", "}}}) { totalCount } }"),
        filled("{ customers(filter: {birthOn: {eq: ", "9", "}}) { totalCount } }", to=1_000),
    ]


def _directives() -> list[str]:
    return [
        filled("{ __typename", " @include(if: true)", " }"),
        "{ __typename" + " @include(if: true)" * 240 + " }",
        numbered("{ __typename", lambda n: f" @d{n}", " }", 700),
        "query" + " @include(if: true)" * 240 + " { __typename }",
        "{ customers { nodes {" + " id @skip(if: false) @include(if: true)" * 100 + " } } }",
        "query ($x: Int" + " @d" * 700 + ") { __typename }",
    ]


def _many_operations() -> list[str | Request]:
    return [
        numbered("", lambda n: f"query Q{n} {{ __typename }} ", ""),
        numbered("", lambda n: f"query Q{n} {{ __typename }} ", "", 290),
        "{ __typename } " * 370,
        {
            "query": numbered("", lambda n: f"query Q{n} {{ __typename }} ", "", 290),
            "operationName": "Q289",
        },
        {
            "query": numbered(
                "fragment F on Query { customers { nodes { id } } } ",
                lambda n: f"query Q{n} {{ ...F }} ",
                "",
                200,
            ),
            "operationName": "Q199",
        },
    ]


def _variable_definitions() -> list[str]:
    return [
        numbered("query (", lambda n: f"$v{n}: Int ", ") { __typename }"),
        numbered("query (", lambda n: f"$v{n}: Int ", ") { __typename }", 360),
        "query (" + "$v: Int " * 360 + ") { __typename }",
        numbered("query (", lambda n: f"$v{n}: Nothing{n} ", ") { __typename }", 360),
        numbered("{ __typename @include(if: $v0) ", lambda n: f"...F{n} ", "}", 100)
        + numbered("", lambda n: f"fragment F{n} on Query {{ a @skip(if: $w{n}) }} ", "", 100),
    ]


def _mutations_by_alias() -> list[str]:
    one = "upsertCustomers(input: {customers: []}) { __typename }"
    return [
        numbered("mutation {", lambda n: f" a{n}: {one}", " }", 1_000),
        numbered("mutation {", lambda n: f" a{n}: {one}", " }", 6),
        numbered("mutation {", lambda n: f" a{n}: {one}", " }", 5),
    ]


def _wide_unions() -> list[str]:
    kinds = ("Customer", "Transaction", "Interaction", "Node", "Nothing")
    parts = "".join(f"... on {kind} {{ id __typename }} " for kind in kinds)
    return [
        '{ node(id: "cus_1") { ' + parts * 45 + "} }",
        '{ node(id: "cus_1") { '
        + parts.replace("... on Nothing { id __typename } ", "") * 9
        + "} }",
        '{ node(id: "cus_1") { ' + "... on Node { " * 300 + "id" + " }" * 300 + " } }",
        '{ nodes(ids: ["cus_1"]) { ' + "... on Customer { tags { tag } } " * 9 + "} }",
    ]


def _misspelt_names() -> list[str]:
    return [
        numbered("{", lambda n: f" custome{n}", " }", 700),
        numbered("{ customers(", lambda n: f"firs{n}: 1 ", ") { totalCount } }", 370),
        numbered("query (", lambda n: f"$v{n}: Custome ", ") { __typename }", 300),
        numbered(
            "{ customers(filter: {", lambda n: f"displayNam{n}: 1 ", "}) { totalCount } }", 370
        ),
        filled("{ customers(first: ", "ALL", ") { totalCount } }"),
    ]


def _introspection() -> list[str]:
    inside = "{ name }"
    for _ in range(20):
        inside = f"{{ fields {{ type {inside} }} }}"
    wide = "{ name kind description fields { name args { name type { name } } type { name } } }"
    return [
        "{ __schema { types " + inside + " } }",
        "{ __schema { types " + wide + " } }",
        "{ __schema { types " + "{ name " + f"possibleTypes {wide} " * 9 + "} } }",
        '{ __type(name: "Customer") { fields { type { fields { type { name } } } } } }',
    ]


def _variables() -> list[Request]:
    ids = "query ($x: [ID!]!) { nodes(ids: $x) { id } }"
    filtered = "query ($x: CustomerFilter) { customers(filter: $x) { totalCount } }"
    rows = _ROWS + _PROBLEMS
    sales = f"mutation ($rows: [TransactionInput!]!) {{ recordTransactions({_INTO} {_PROBLEMS}"
    facts = f"mutation ($rows: [InteractionInput!]!) {{ recordInteractions({_FACTS} {_PROBLEMS}"
    sale = {"source": "a", "externalId": "b", "occurredAt": "2026-01-01T00:00Z", "currency": "EUR"}
    line = {"sku": "", "quantity": 1, "unitPrice": "x"}
    fact = {"source": "a", "externalId": "b", "occurredAt": "2026-01-01T00:00Z", "kind": "note"}
    return [
        {"query": ids, "variables": {"x": [1] * 95_000}},
        {"query": ids, "variables": {"x": ["a"] * 45_000}},
        {"query": rows, "variables": {"rows": [{}] * 60_000}},
        {"query": rows, "variables": {"rows": [None] * 38_000}},
        {"query": rows, "variables": {"rows": [{"source": "a", "externalId": "b"}] * 5_000}},
        {"query": rows, "variables": {"rows": [{"a": 1}] * 22_000}},
        {"query": rows, "variables": {"rows": [{f"k{n}": n for n in range(14_000)}]}},
        {"query": rows, "variables": {"rows": [{"tags": ["a"] * 48_000}]}},
        {"query": rows, "variables": {"rows": "x" * 190_000}},
        {"query": rows, "variables": {"rows": [_with("addresses", [{}] * 60_000)]}},
        {"query": rows, "variables": {"rows": [_with("addresses", [{"city": ""}] * 16_000)]}},
        {"query": rows, "variables": {"rows": [_with("addresses", [{}] * 50)] * 1_000}},
        {"query": sales, "variables": {"rows": [{**sale, "lines": [{}] * 50_000}]}},
        {"query": sales, "variables": {"rows": [{**sale, "lines": [line] * 4_900}]}},
        {"query": sales, "variables": {"rows": [{**sale, "lines": [line]}] * 1_000}},
        {"query": sales, "variables": {"rows": [{**sale, "lines": [], "tags": []}] * 1_100}},
        {"query": facts, "variables": {"rows": [{**fact, "payload": {"a": [{}] * 60_000}}]}},
        {"query": facts, "variables": {"rows": [{**fact, "payload": _nested("a", 25)}] * 400}},
        {"query": facts, "variables": {"rows": [fact] * 1_000}},
        {"query": "{ __typename }", "variables": {f"v{n}": n for n in range(14_000)}},
        {"query": "query ($x: Int) { __typename }", "variables": {"x": [1] * 90_000}},
        {"query": "query ($x: Int) { customers(first: $x) { totalCount } }",
         "variables": {"x": 10**300}},
        {"query": "query ($x: Float) { __typename }", "variables": {"x": 10**18}},
        {"query": filtered, "variables": {"x": _nested("not", 30)}},
        {"query": filtered, "variables": {"x": {"and": [{}] * 60_000}}},
        {"query": filtered, "variables": {"x": {"or": [{"displayName": {"eq": "a"}}] * 5_000}}},
        {"query": filtered, "variables": {"x": {"and": [_nested("not", 28)] * 500}}},
        {"query": filtered, "variables": {"x": {"displayName": {"in": ["a"] * 45_000}}}},
        {"query": filtered, "variables": {"x": {"displayName": {"contains": "%" * 190_000}}}},
    ]  # fmt: skip


def _with(name: str, values: list[Any]) -> Request:
    return {"source": "a", "externalId": "b", name: values}


def _nested(key: str, levels: int) -> Any:
    made: Any = {"displayName": {"eq": "a"}}
    for _ in range(levels):
        made = {key: made}
    return made


_MAKERS: tuple[Callable[[], Any], ...] = (
    _doubling_fragments,
    _doubling_aliased_fragments,
    _fragments_of_fragments,
    _circular_fragments,
    _ten_thousand_fragments,
    _nested_lists,
    _twenty_thousand_aliases,
    _repeated_fields_with_arguments,
    _many_pairs_of_fields,
    _deep_nesting,
    _deep_literals,
    _huge_strings,
    _ignored_signs,
    _huge_numbers,
    _directives,
    _many_operations,
    _variable_definitions,
    _mutations_by_alias,
    _wide_unions,
    _misspelt_names,
    _introspection,
    _variables,
)
