"""Rehearsals: what a plugin would have made of the shop's history under other settings.

A copy of the shop in a temporary file gets the history again, in the order of its time, through the
very code that follows what is recorded. The shop itself is only read.
"""

from crmkit.rehearsing.copies import open_copy
from crmkit.rehearsing.periods import BadPeriod, Period, read_period, told_of
from crmkit.rehearsing.replaying import Fact, replay
from crmkit.rehearsing.sections import read_section
from crmkit.rehearsing.stand_ins import copy_metrics

__all__ = [
    "BadPeriod",
    "Fact",
    "Period",
    "copy_metrics",
    "open_copy",
    "read_period",
    "read_section",
    "replay",
    "told_of",
]
