"""crmkit: customers, transactions and interactions, and the contract that plugins stand on.

What is listed here is the promise; everything else may move.
"""

from crmkit.access import Actor
from crmkit.announcements import Announcement, Event, announce
from crmkit.batches import (
    CustomerBatch,
    InteractionBatch,
    RecordedInteraction,
    RecordedLine,
    RecordedTransaction,
    Refusal,
    TransactionBatch,
)
from crmkit.bulk import insert_rows, merge_rows, small_writes, table_of
from crmkit.clock import Clock, FixedClock, SystemClock
from crmkit.columns import Instant, Json, read_instant, wire_instant
from crmkit.commands import Chart, Command, Findings, Matrix, Option, Report
from crmkit.completing import sale_as_recorded
from crmkit.contributions import (
    Difference,
    InteractionKind,
    Metric,
    Migration,
    Rebuilder,
    SchemaContribution,
    Service,
    Services,
)
from crmkit.crm import Crm
from crmkit.derived import differences
from crmkit.driver_sql import run_sql
from crmkit.errors import (
    CrmkitError,
    IdempotencyMismatch,
    NotFound,
    PermissionDenied,
    PluginError,
    Problem,
    Refused,
    ValidationFailed,
)
from crmkit.hookspecs import hookimpl
from crmkit.ids import new_id
from crmkit.inputs import (
    UNSET,
    AddressInput,
    AttachInput,
    ContactInput,
    CustomerInput,
    CustomerRef,
    ErrorPolicy,
    InteractionInput,
    LineInput,
    Outcome,
    RowResult,
    TransactionInput,
)
from crmkit.jobs import Job, JobRun
from crmkit.manifest import API_VERSION, Permission, Plugin
from crmkit.named_rows import read_id
from crmkit.settings import Settings

__all__ = [
    "API_VERSION",
    "UNSET",
    "Actor",
    "AddressInput",
    "Announcement",
    "AttachInput",
    "Chart",
    "Clock",
    "Command",
    "ContactInput",
    "Crm",
    "CrmkitError",
    "CustomerBatch",
    "CustomerInput",
    "CustomerRef",
    "Difference",
    "ErrorPolicy",
    "Event",
    "Findings",
    "FixedClock",
    "IdempotencyMismatch",
    "Instant",
    "InteractionBatch",
    "InteractionInput",
    "InteractionKind",
    "Job",
    "JobRun",
    "Json",
    "LineInput",
    "Matrix",
    "Metric",
    "Migration",
    "NotFound",
    "Option",
    "Outcome",
    "Permission",
    "PermissionDenied",
    "Plugin",
    "PluginError",
    "Problem",
    "Rebuilder",
    "RecordedInteraction",
    "RecordedLine",
    "RecordedTransaction",
    "Refusal",
    "Refused",
    "Report",
    "RowResult",
    "SchemaContribution",
    "Service",
    "Services",
    "Settings",
    "SystemClock",
    "TransactionBatch",
    "TransactionInput",
    "ValidationFailed",
    "announce",
    "differences",
    "hookimpl",
    "insert_rows",
    "merge_rows",
    "new_id",
    "read_id",
    "read_instant",
    "run_sql",
    "sale_as_recorded",
    "small_writes",
    "table_of",
    "wire_instant",
]
