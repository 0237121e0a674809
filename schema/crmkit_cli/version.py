"""`crmkit version`."""

import platform
import sqlite3
from importlib.metadata import version as version_of

from crmkit_cli.options import AsJson
from crmkit_cli.printing import print_json


def version(as_json: AsJson = False) -> None:
    """Show the versions of crmkit and of what it runs on."""
    versions = {
        "crmkit": version_of("crmkit"),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }
    if as_json:
        print_json(versions)
    else:
        print(", ".join(f"{name} {number}" for name, number in versions.items()))
