"""Comparing plans with the reference executor, on random operations over every built-in plugin."""

from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

from graphql import get_operation_ast
from tests.schema.engine.comparing import are_same, said
from tests.schema.engine.documents import Documents
from tests.schema.engine.drafts import Drawn
from tests.schema.engine.known_values import KnownValues
from tests.schema.engine.planned import Planned
from tests.schema.engine.roles import actors_of
from tests.schema.engine.shrinking import shrunk
from tests.schema.engine.tally import Mismatch, Tally
from tests.schema.engine.twins import Twins

from crmkit_schema.requests import GraphQLAnswer, GraphQLRequest

MUTATIONS = 0.2
MISMATCHES_MAX = 3  # of one round, as more say the same
_EACH = 10  # operations of one document
_MADE_BY_PYTHON = (
    "adge", "hings", "node", "extras", "modules", "expiringSoon", "loyaltyLiability", "progress",
    "earningRules", "redemptionPreview", "pointsPreview", "loyaltyRewards", "asOf",
)  # fmt: skip
_NOTHING = GraphQLAnswer({})
_DIFFER = "answers differ"


class Round:
    """Compares operations of one seed on one pair of shops.

    Attributes:
        tally: what came out so far.
    """

    def __init__(self, twins: Twins, dialect: str, seed: int, mutations: float = MUTATIONS) -> None:
        self._twins, self._dialect, self._seed = twins, dialect, seed
        self._rng, self.tally = Random(seed), Tally()
        self._known = KnownValues(twins)
        schema = twins.planned.schema._schema
        self._documents = Documents(schema, self._rng, self._known, mutations)
        self._actors = actors_of(twins.planned.crm, self._rng)
        self._weights = [14 if name == "admin" else 1 for name in self._actors]

    def run(self, count: int, mismatches_max: int = MISMATCHES_MAX) -> Tally:
        """Compare operations, several of each document with other variables and callers."""
        with Planned(self._twins.planned) as planned:
            while self.tally.compared < count and len(self.tally.mismatches) < mismatches_max:
                drawn = self._documents.draw()
                if isinstance(self._twins.planned.documents.read(drawn.text), list):
                    self.tally.invalid += 1
                    continue
                self._compare_several(planned, drawn, min(_EACH, count - self.tally.compared))
        return self.tally

    def _compare_several(self, planned: Planned, drawn: Drawn, count: int) -> None:
        """Compare operations of one document with several values, for two callers in turn."""
        roles = self._rng.choices([*self._actors], self._weights, k=2)
        for at in range(count):
            values = self._documents.values(drawn)
            request = GraphQLRequest(drawn.text, values, drawn.operation_name)
            if not self._compare(planned, drawn, request, roles[at % 2]):
                return
        if drawn.is_mutation:
            self._known.renew()
            tables = self._twins.differing_tables()
            if tables:
                what = f"tables differ: {', '.join(tables)}"
                found = Mismatch(self._dialect, self._seed, roles[0], what, request, b"", b"")
                self.tally.mismatches.append(found)

    def _compare(self, planned: Planned, drawn: Drawn, request: GraphQLRequest, role: str) -> bool:
        """Compare one operation; tell whether all is well."""
        number = self.tally.compared + self.tally.refused + 1
        if drawn.is_mutation:
            self._twins.clock.advance(timedelta(seconds=1))
        self._twins.ids.begin(number)
        answer = planned.execute(request, self._actors[role])
        if answer is not None and _is_refused(answer):
            self.tally.refused += 1
            return True
        if answer is None:
            self.tally.note(self._labels(role, drawn), planned.reason, _NOTHING, 0)
            return True
        self._twins.ids.begin(number)
        expected = self._by_reference(request, role)
        reason = planned.reason if planned.was_left else None
        self.tally.note(self._labels(role, drawn), reason, expected, planned.statements)
        self._known.learn(expected.data)
        what = self._difference(planned, drawn, answer, expected)
        if not drawn.is_mutation and not what:
            what = self._quick_difference(planned, request, role, expected)
        if what:
            found = Mismatch(
                self._dialect, self._seed, role, what, request, said(answer), said(expected)
            )
            is_shorter = what == _DIFFER and not drawn.is_mutation
            self.tally.mismatches.append(self._shrunk(planned, found) if is_shorter else found)
        return not what

    def _shrunk(self, planned: Planned, found: Mismatch) -> Mismatch:
        """Return a mismatch with the smallest query that still shows it."""

        def answered(text: str) -> Mismatch | None:
            smaller = replace(found.request, query=text)
            document = self._twins.planned.documents.read(text)
            if isinstance(document, list) or not get_operation_ast(
                document.node, smaller.operation_name
            ):
                return None
            answer = planned.execute(smaller, self._actors[found.role])
            if answer is None or _is_refused(answer):
                return None
            expected = said(self._by_reference(smaller, found.role))
            return replace(found, request=smaller, planned=said(answer), expected=expected)

        def shows(text: str) -> bool:
            again = answered(text)
            return again is not None and not are_same(again.planned, again.expected)

        return answered(shrunk(found.request.query, shows)) or found

    def _labels(self, role: str, drawn: Drawn) -> tuple[str, ...]:
        kind = "mutation" if drawn.is_mutation else "query"
        return self._dialect, f"as {role.rstrip(' 0123456789')}", kind

    def _difference(
        self, planned: Planned, drawn: Drawn, answer: GraphQLAnswer, expected: GraphQLAnswer
    ) -> str:
        if not are_same(said(answer), said(expected)):
            return _DIFFER
        is_sql_alone = not drawn.is_mutation and not any(
            each in drawn.text for each in _MADE_BY_PYTHON
        )
        if is_sql_alone and planned.statements > 1:
            return f"{planned.statements} statements"
        return ""

    def _quick_difference(
        self, planned: Planned, request: GraphQLRequest, role: str, expected: GraphQLAnswer
    ) -> str:
        quick = planned.quickly(request, self._actors[role])
        self.tally.quick += quick is not None
        if quick is None or are_same(quick, said(expected)):
            return ""
        return f"the event loop answers {quick.decode()}"

    def _by_reference(self, request: GraphQLRequest, role: str) -> GraphQLAnswer:
        document: Any = self._twins.planned.documents.read(request.query)
        operation = get_operation_ast(document.node, request.operation_name)
        assert operation is not None
        return self._twins.reference.by_reference(
            document.node, operation, request, self._actors[role]
        )


def _is_refused(answer: GraphQLAnswer) -> bool:
    codes = {each["extensions"]["code"] for each in answer.errors}
    return not answer.was_executed and "COST_LIMIT" in codes
