"""Importing files: mappings say what is in them, and every line is accounted for."""

from crmkit.importing.mapping import Mapping
from crmkit.importing.mapping_files import NamedMapping, load_mapping, mapping_names
from crmkit.importing.rejects import Rejected
from crmkit.importing.report import ImportReport, Progress, ProgressCallback
from crmkit.importing.rows import Damage
from crmkit.importing.transactions import import_transactions

__all__ = [
    "Damage",
    "ImportReport",
    "Mapping",
    "NamedMapping",
    "Progress",
    "ProgressCallback",
    "Rejected",
    "import_transactions",
    "load_mapping",
    "mapping_names",
]
