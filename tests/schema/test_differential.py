"""Random queries give what resolving object by object gives, on both databases.

The oracle below knows nothing of levels: it reads whole tables once and walks them in Python.
"""

import random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from crmkit import models, table_of

Row = dict[str, Any]

COLUMNS = {
    "Customer": {"displayName": "display_name", "familyName": "family_name"},
    "Transaction": {"externalId": "external_id", "currency": "currency", "store": "store"},
    "TransactionLine": {"sku": "sku", "position": "position"},
    "Interaction": {"externalId": "external_id", "rating": "rating"},
    "CustomerTag": {"tag": "tag"},
    "ContactPoint": {"value": "value"},
}
LISTS: dict[str, dict[str, tuple[Any, ...]]] = {
    "Customer": {
        "tags": ("CustomerTag", models.CustomerTag, "customer_id", ("tag",)),
        "contactPoints": ("ContactPoint", models.ContactPoint, "customer_id", ("kind", "id")),
    },
}
ONES: dict[str, dict[str, tuple[Any, ...]]] = {
    "Transaction": {"customer": ("Customer", models.Customer, "customer_id")},
    "Interaction": {"customer": ("Customer", models.Customer, "customer_id")},
}
LATEST = ("-occurred_at", "-id")
PAGES: dict[str, dict[str, tuple[Any, ...]]] = {
    "Query": {
        "customers": ("Customer", models.Customer, None, ("-created_at", "-id")),
        "transactions": ("Transaction", models.Transaction, None, LATEST),
        "interactions": ("Interaction", models.Interaction, None, LATEST),
    },
    "Customer": {
        "transactions": ("Transaction", models.Transaction, "customer_id", LATEST),
        "interactions": ("Interaction", models.Interaction, "customer_id", LATEST),
    },
    "Transaction": {
        "lines": ("TransactionLine", models.TransactionLine, "transaction_id", ("position",))
    },
}  # fmt: skip


class Oracle:
    """Resolves a query tree object by object from tables that were read once."""

    def __init__(self, crm: Any) -> None:
        with crm.read() as session:
            self._tables: dict[Any, list[Row]] = {
                model: [
                    dict(row)
                    for row in session.connection().execute(select(table_of(model))).mappings()
                ]
                for model in models.CORE_MODELS
            }

    def resolve(self, type_name: str, row: Row | None, tree: "Tree") -> dict[str, Any]:
        """Return what a selection of one object gives."""
        return {key: self._field(type_name, row, *asked) for key, asked in tree.items()}

    def _field(self, type_name: str, row: Row | None, name: str, way: Any, tree: Any) -> Any:
        if name == "__typename":
            return type_name
        if name in COLUMNS.get(type_name, {}) and row is not None:
            return row[COLUMNS[type_name][name]]
        if name in LISTS.get(type_name, {}):
            target, model, child, order = LISTS[type_name][name]
            found = self._rows(model, child, row, order)
            return [self.resolve(target, each, tree) for each in found]
        if name in ONES.get(type_name, {}) and row is not None:
            target, model, parent = ONES[type_name][name]
            one = [each for each in self._tables[model] if each["id"] == row[parent]]
            return self.resolve(target, one[0], tree) if one else None
        target, model, child, order = PAGES[type_name][name]
        return self._page(target, self._rows(model, child, row, order), way, tree)

    def _page(self, target: str, found: list[Row], way: Any, tree: Any) -> dict[str, Any]:
        (side, size), total = way, len(found)
        kept = found[:size] if side == "first" else found[max(0, total - size) :]
        answer: dict[str, Any] = {"totalCount": total}
        answer["nodes"] = [self.resolve(target, each, tree) for each in kept]
        answer["edges"] = [{"node": each} for each in answer["nodes"]]
        return answer

    def _rows(self, model: Any, child: Any, row: Row | None, order: Any) -> list[Row]:
        found = [
            each
            for each in self._tables[model]
            if child is None or (row is not None and each[child] == row["id"])
        ]
        for column in reversed(order):
            name = column.lstrip("-")
            found.sort(key=lambda each: _key(each[name]), reverse=column.startswith("-"))
        return found


def _key(value: Any) -> Any:
    return value.hex if isinstance(value, UUID) else value


Tree = dict[str, tuple[str, Any, Any]]


def grow(rng: random.Random, type_name: str, depth: int) -> Tree:
    """Return a random selection of a type: response key to field, page and selection below."""
    scalars = [*COLUMNS.get(type_name, {}), "__typename"] if type_name != "Query" else []
    below = {**LISTS.get(type_name, {}), **ONES.get(type_name, {}), **PAGES.get(type_name, {})}
    tree: Tree = {name: (name, None, None) for name in rng.sample(scalars, min(2, len(scalars)))}
    for number in range(rng.randint(1, 3) if below and depth else 0):
        name = rng.choice(sorted(below))
        way = (rng.choice(["first", "last"]), rng.randint(1, 4))
        page = way if name in PAGES.get(type_name, {}) else None
        tree[f"x{number}"] = (name, page, grow(rng, below[name][0], depth - 1))
    return tree


def write(tree: Tree) -> str:
    """Return the GraphQL text of a selection."""
    parts = []
    for key, (name, way, below) in tree.items():
        if below is None:
            parts.append(f"{key}: {name}")
        elif way is None:
            parts.append(f"{key}: {name} {{ {write(below)} }}")
        else:
            inner = f"totalCount nodes {{ {write(below)} }} edges {{ node {{ {write(below)} }} }}"
            parts.append(f"{key}: {name}({way[0]}: {way[1]}) {{ {inner} }}")
    return " ".join(parts)


@pytest.mark.parametrize("seed", range(4))
def test_random_queries_give_what_walking_objects_gives(
    crm_factory: Any, stock: Any, api_of: Any, seed: int
) -> None:
    crm = crm_factory(limits={"aliases_max": 10_000, "fields_max": 10_000, "repeats_max": 100})
    stock(crm, 7, sales=3)
    api, oracle, rng = api_of(crm), Oracle(crm), random.Random(seed)
    for _ in range(12):
        tree = grow(rng, "Query", 3)

        assert api(f"{{ {write(tree)} }}") == oracle.resolve("Query", None, tree), write(tree)
