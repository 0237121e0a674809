"""Why an operation is left to the reference executor."""

from collections.abc import Sequence

from graphql import GraphQLError


class Uncovered(Exception):
    """The compiler does not cover an operation, or cannot serve one request of it.

    Attributes:
        reason: for the developer who asks why.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Unready(Exception):
    """One request cannot be served by a plan, though another of the same shape may be."""


class WrongVariables(Unready):
    """The values of a request's variables are wrong, so nothing is executed.

    Attributes:
        errors: what is wrong.
    """

    def __init__(self, errors: Sequence[GraphQLError]) -> None:
        super().__init__("wrong variables")
        self.errors = errors
