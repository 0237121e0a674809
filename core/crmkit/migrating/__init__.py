"""Bringing the tables of core and of every plugin to where the code needs them.

Each plugin has a chain of revisions and a version table `<plugin>_schema_version` of its own, so
a plugin that was removed never stands in the way of the others. Plugins are migrated in the
order of their `requires`, each in one database transaction.
"""

from crmkit.migrating.comparing import check
from crmkit.migrating.driving import (
    Current,
    current,
    downgrade,
    pending,
    require_ready,
    upgrade,
)
from crmkit.migrating.purging import purge
from crmkit.migrating.stepping import Step

__all__ = [
    "Current",
    "Step",
    "check",
    "current",
    "downgrade",
    "pending",
    "purge",
    "require_ready",
    "upgrade",
]
