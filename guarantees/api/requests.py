"""What requests may bring."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from guarantees.api.fields import (
    LONGEST_NAME,
    LONGEST_TEXT,
    AmountField,
    DayField,
    StrictSerializer,
)
from guarantees.models import ActionType
from migrations_tools.api.fields import IdField


class CorrectionSerializer(StrictSerializer):
    """Imported values that a person may correct; whatever is left out stays."""

    number = serializers.CharField(max_length=200, trim_whitespace=False, required=False)
    raw_supplier_name = serializers.CharField(
        max_length=LONGEST_NAME, allow_blank=True, required=False
    )
    raw_bank_name = serializers.CharField(max_length=LONGEST_NAME, allow_blank=True, required=False)
    supplier = IdField(allow_null=True, required=False)
    bank = IdField(allow_null=True, required=False)
    contract_number = serializers.CharField(
        max_length=LONGEST_NAME, allow_blank=True, required=False
    )
    related_to = serializers.CharField(max_length=LONGEST_NAME, allow_blank=True, required=False)
    amount = AmountField()
    currency = serializers.CharField(max_length=3, required=False)
    issue_date = DayField()
    expiry_date = DayField()
    type = serializers.CharField(max_length=LONGEST_NAME, allow_blank=True, required=False)
    comment = serializers.CharField(max_length=LONGEST_TEXT, allow_blank=True, required=False)


class ReleaseSerializer(StrictSerializer):
    """What every action takes. A draft changes nothing until it is issued."""

    reason = serializers.CharField(max_length=LONGEST_TEXT, allow_blank=True, default="")
    notes = serializers.CharField(max_length=LONGEST_TEXT, allow_blank=True, default="")
    draft = serializers.BooleanField(default=False)


class ExtensionSerializer(ReleaseSerializer):
    """A later expiry; left out, one calendar year."""

    new_expiry = DayField()


class ReductionSerializer(ReleaseSerializer):
    """A smaller amount."""

    new_amount = AmountField()


class RenewalSerializer(ReleaseSerializer):
    """A later expiry, with another amount if one is given."""

    new_expiry = DayField()
    new_amount = AmountField()


class ModificationSerializer(ReleaseSerializer):
    """A correction of imported values, also of a protected guarantee; it needs a reason."""

    changes = CorrectionSerializer(required=False)


class NewActionSerializer(ReleaseSerializer):
    """An action on the newest guarantee of a number, or on the one that ``guarantee`` names."""

    action_type = serializers.CharField(
        max_length=20, help_text=f"One of {', '.join(ActionType.values)}."
    )
    number = serializers.CharField(max_length=200)
    guarantee = IdField(allow_null=True, required=False)
    new_expiry = DayField()
    new_amount = AmountField()
    changes = CorrectionSerializer(required=False)


class DraftSerializer(StrictSerializer):
    """What a draft may say; whatever is left out stays."""

    new_expiry = DayField()
    new_amount = AmountField()
    changes = CorrectionSerializer(required=False)
    reason = serializers.CharField(max_length=LONGEST_TEXT, allow_blank=True, required=False)
    notes = serializers.CharField(max_length=LONGEST_TEXT, allow_blank=True, required=False)


class StrictReasonSerializer(StrictSerializer):
    """Why."""

    reason = serializers.CharField(max_length=LONGEST_TEXT, allow_blank=True, default="")


class NoBodySerializer(StrictSerializer):
    """An action that takes nothing."""


class NameDecisionSerializer(StrictSerializer):
    """Whom the raw names of a guarantee mean."""

    supplier = IdField(required=False)
    bank = IdField(required=False)
    reason = serializers.CharField(max_length=LONGEST_TEXT, allow_blank=True, default="")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "supplier" not in attrs and "bank" not in attrs:
            raise serializers.ValidationError(
                _("Name a supplier, a bank, or both."), code="required"
            )
        return attrs
