"""How long one request waits for functions of plugins."""

from dataclasses import dataclass, field
from typing import Final

from crmkit import Settings

_SECONDS_MIN: Final = 0.05


@dataclass(slots=True)
class Patience:
    """What a request has lost to functions that hang.

    Attributes:
        seconds_lost: waiting for functions that were given up.
        given_up: their fields, by identity; they are not called again.
    """

    seconds_lost: float = 0.0
    given_up: set[int] = field(default_factory=set)

    def seconds(self, settings: Settings) -> float:
        """Return how long to wait for the next function, in seconds.

        It is less, the more was lost: however many functions hang, they cost the request about
        half of its time, and those that answer at once are still waited for.
        """
        left = settings.request_seconds_max / 2 - self.seconds_lost
        return max(_SECONDS_MIN, min(settings.plugin_seconds_max, left / 2))

    def give_up(self, of_field: int, seconds: float) -> None:
        """Note that a function was waited for in vain."""
        self.given_up.add(of_field)
        self.seconds_lost += seconds
