"""Staged rows of the old system, as exported (guarantees.md "Legacy shape")."""

from __future__ import annotations

from django.contrib.postgres.indexes import HashIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext as _

from guarantees.models.action import GuaranteeAction
from guarantees.models.batch import ImportBatch
from guarantees.models.guarantee import Guarantee
from guarantees.models.number import trimmed
from guarantees.models.staged_rows import ImportedRecordQuerySet
from migrations_tools.models import StagedRow


def _verbatim() -> models.TextField[str | None, str | None]:
    """Text exactly as exported; null and '' are different things in the old system."""
    return models.TextField(null=True, blank=True)


class ImportSession(StagedRow):
    """One row of ``import_sessions``; ``id`` is the legacy id. ``created_at`` is UTC text.

    The import moves the sequence above the highest id. ``session_type`` was ``source_type`` and
    ``file_name`` was ``filename`` in an older shape.
    """

    id = models.BigAutoField(primary_key=True)
    session_type = _verbatim()
    record_count = models.BigIntegerField(null=True, blank=True)
    created_at = _verbatim()
    file_name = _verbatim()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return _("legacy session %(row)s") % {"row": self.pk}


class ImportedRecord(StagedRow):
    """One row of ``imported_records``; ``id`` is the legacy id, or one above the highest.

    References may dangle, so the database checks none of them. The migration fills the three
    transition columns and changes nothing else: `migrated_guarantee` or `migrated_action`, and
    for guarantees `import_batch` (N9).
    """

    id = models.BigAutoField(primary_key=True)
    session = models.ForeignKey(
        ImportSession,
        models.DO_NOTHING,
        null=True,
        blank=True,
        related_name="records",
        db_constraint=False,
        db_index=False,
    )
    raw_supplier_name = _verbatim()
    raw_bank_name = _verbatim()
    amount = _verbatim()
    guarantee_number = _verbatim()
    issue_date = _verbatim()
    expiry_date = _verbatim()
    normalized_supplier = _verbatim()
    normalized_bank = _verbatim()
    match_status = _verbatim()
    supplier_id = models.BigIntegerField(null=True, blank=True)
    bank_id = models.BigIntegerField(null=True, blank=True)
    created_at = _verbatim()
    decision_result = _verbatim()
    contract_number = _verbatim()
    type = _verbatim()
    comment = _verbatim()
    bank_display = _verbatim()
    supplier_display_name = _verbatim()
    related_to = _verbatim()
    record_type = _verbatim()

    migrated_guarantee = models.ForeignKey(
        Guarantee,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="legacy_records",
        db_index=False,
    )
    migrated_action = models.ForeignKey(
        GuaranteeAction,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="legacy_records",
        db_index=False,
    )
    import_batch = models.ForeignKey(
        ImportBatch,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="legacy_records",
        db_index=False,
    )

    objects = ImportedRecordQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["migrated_guarantee"],
                condition=Q(migrated_guarantee__isnull=False),
                name="record_guarantee_one_to_one",
            ),
            models.UniqueConstraint(
                fields=["migrated_action"],
                condition=Q(migrated_action__isnull=False),
                name="record_action_one_to_one",
            ),
            models.CheckConstraint(
                condition=Q(migrated_guarantee__isnull=True) | Q(migrated_action__isnull=True),
                name="record_has_one_link",
            ),
        ]
        indexes = [
            # hash: verbatim text may be longer than a B-tree entry
            HashIndex(trimmed("guarantee_number"), name="record_by_number"),
            models.Index(
                fields=["import_batch"],
                condition=Q(import_batch__isnull=False),
                name="record_by_batch",
            ),
        ]

    def __str__(self) -> str:
        return _("legacy record %(row)s") % {"row": self.pk}
