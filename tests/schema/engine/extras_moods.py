"""An enum of the plugin for tests."""

from enum import StrEnum

import strawberry


@strawberry.enum(name="ExtrasMood", description="A mood.")
class Mood(StrEnum):
    """A mood."""

    GOOD = "good"
    BAD = "bad"
