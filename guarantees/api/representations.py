"""How objects look in answers. Amounts are decimal strings, instants have an offset."""

from __future__ import annotations

from rest_framework import serializers

from guarantees.models import ActionSession, Guarantee, GuaranteeAction, ImportBatch


class GuaranteeSerializer(serializers.ModelSerializer[Guarantee]):
    """What was imported, and what the guarantee currently is.

    ``supplier`` and ``bank`` are ids; the names beside them are those of today, the raw ones as
    they were written.
    """

    supplier_name = serializers.CharField(source="supplier", allow_null=True, read_only=True)
    bank_name = serializers.CharField(source="bank", allow_null=True, read_only=True)

    class Meta:
        model = Guarantee
        fields = [
            "id",
            "number",
            "raw_supplier_name",
            "raw_bank_name",
            "supplier",
            "supplier_name",
            "bank",
            "bank_name",
            "contract_number",
            "related_to",
            "amount",
            "currency",
            "issue_date",
            "expiry_date",
            "type",
            "comment",
            "match_status",
            "batch",
            "import_kind",
            "import_date",
            "is_protected",
            "current_amount",
            "current_expiry",
            "status",
            "created_at",
        ]
        read_only_fields = fields


class ActionSerializer(serializers.ModelSerializer[GuaranteeAction]):
    """An action; ``changes`` of a modification are field → [old, new]."""

    changes = serializers.DictField(child=serializers.ListField(), read_only=True)
    created_by = serializers.CharField(
        source="created_by.username", allow_null=True, default=None, read_only=True
    )

    class Meta:
        model = GuaranteeAction
        fields = [
            "id",
            "guarantee",
            "number",
            "action_type",
            "status",
            "is_locked",
            "session",
            "action_date",
            "previous_expiry",
            "new_expiry",
            "previous_amount",
            "new_amount",
            "changes",
            "reason",
            "notes",
            "supplier",
            "supplier_name",
            "supplier_display_name",
            "bank",
            "bank_name",
            "bank_display_name",
            "issued_at",
            "created_by",
            "created_at",
        ]
        read_only_fields = fields


class ActionSessionSerializer(serializers.ModelSerializer[ActionSession]):
    """A day's work on actions, with how many of them are issued."""

    class Meta:
        model = ActionSession
        fields = ["id", "day", "is_locked", "total_actions", "issued_actions", "created_at"]
        read_only_fields = fields


class ImportBatchSerializer(serializers.ModelSerializer[ImportBatch]):
    """How guarantees came in: a workbook, or what was entered or pasted on a day."""

    class Meta:
        model = ImportBatch
        fields = [
            "id",
            "kind",
            "description",
            "file_name",
            "sha256",
            "day",
            "total_records",
            "ready_records",
            "created_at",
            "uploaded_by",
            "legacy_ref",
        ]
        read_only_fields = fields
