"""What the engine stores (SPEC §2.2): runs, batches, ledger, journal, transitions, reviews,
checks, legacy imports. Ledger, journal and transitions are append-only in the database.
"""

from migrations_tools.models.batch import Batch
from migrations_tools.models.check import Check
from migrations_tools.models.cutover import Cutover, DualWritten, Mismatch, Waiver
from migrations_tools.models.governor import Governor
from migrations_tools.models.idempotency_key import IdempotencyKey
from migrations_tools.models.journal import RowChange
from migrations_tools.models.ledger import LedgerEntry
from migrations_tools.models.legacy_import import LegacyImport, RejectedLine
from migrations_tools.models.notice import Notice
from migrations_tools.models.queued_import import ImportProgress, QueuedImport
from migrations_tools.models.retention import RetentionRecord
from migrations_tools.models.review import ReviewItem
from migrations_tools.models.run import Run
from migrations_tools.models.staging import StagedRow
from migrations_tools.models.transition import Transition

__all__ = [
    "Batch",
    "Check",
    "Cutover",
    "DualWritten",
    "Governor",
    "IdempotencyKey",
    "ImportProgress",
    "LedgerEntry",
    "LegacyImport",
    "Mismatch",
    "Notice",
    "QueuedImport",
    "RejectedLine",
    "RetentionRecord",
    "ReviewItem",
    "RowChange",
    "Run",
    "StagedRow",
    "Transition",
    "Waiver",
]
