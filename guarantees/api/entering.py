"""New guarantees: typed in one by one, or pasted (guarantees.md "Manual entry and text paste").

All that is wrong with them comes at once, as 400 with ``details.fields``.
"""

from __future__ import annotations

from typing import Any, Final

from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from guarantees.api.fields import StrictSerializer
from guarantees.api.representations import GuaranteeSerializer, ImportBatchSerializer
from guarantees.services.entries import (
    LONGEST_TEXT,
    Entered,
    enter_guarantee,
    paste_guarantees,
    preview_pasted,
)
from migrations_tools.api.access import SURFACE, caller
from migrations_tools.api.idempotency import idempotent

#: Characters of a text that is read at all; the service says what is too long of a paste.
_LONGEST: Final = 10 * LONGEST_TEXT
_PASTED: Final = "Guarantee number: LG-10\nSupplier: Al Noor\nBank: RIBL\nAmount: 1,500\nPO: 4500"


class EntryProblemSerializer(serializers.Serializer[Any]):
    """What is wrong with a value, or has to be looked at."""

    field = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()


class SuggestionSerializer(serializers.Serializer[Any]):
    """Somebody who may be meant by a name; ``score`` is 0–1."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    score = serializers.FloatField()


class MatchSerializer(serializers.Serializer[Any]):
    """A name as it was written, whom it means, and who else may be meant."""

    written = serializers.CharField()
    id = serializers.IntegerField(allow_null=True)
    found_by = serializers.CharField(allow_null=True)
    certain = serializers.BooleanField()
    suggestions = SuggestionSerializer(many=True)


class EntryValuesSerializer(serializers.Serializer[Any]):
    """A guarantee to be."""

    number = serializers.CharField()
    supplier = MatchSerializer()
    bank = MatchSerializer()
    contract_number = serializers.CharField()
    related_to = serializers.CharField()
    amount = serializers.CharField()
    currency = serializers.CharField()
    issue_date = serializers.DateField(allow_null=True)
    expiry_date = serializers.DateField(allow_null=True)
    type = serializers.CharField()
    comment = serializers.CharField()


class EntryPreviewRowSerializer(serializers.Serializer[Any]):
    """What a row, or a guarantee of a text, would become; ``values`` only where it would."""

    row = serializers.IntegerField()
    status = serializers.ChoiceField(choices=["ready", "needs_review", "rejected"])
    problems = EntryProblemSerializer(many=True)
    warnings = EntryProblemSerializer(many=True)
    values = EntryValuesSerializer(required=False)


class EntrySerializer(serializers.Serializer[Any]):
    """A guarantee as people write it; fields may also be called as headings of a workbook are.

    Needed are number, supplier, bank, amount, and a contract or a purchase order.
    """

    number = serializers.CharField()
    supplier = serializers.CharField()
    bank = serializers.CharField()
    amount = serializers.CharField()
    contract = serializers.CharField(required=False)
    purchase_order = serializers.CharField(required=False)
    currency = serializers.CharField(required=False)
    issue_date = serializers.CharField(required=False)
    expiry_date = serializers.CharField(required=False)
    type = serializers.CharField(required=False)
    comment = serializers.CharField(required=False)


class EnteredSerializer(GuaranteeSerializer):
    """A new guarantee, with what has to be looked at."""

    warnings = EntryProblemSerializer(many=True, read_only=True)

    class Meta(GuaranteeSerializer.Meta):
        fields = [*GuaranteeSerializer.Meta.fields, "warnings"]
        read_only_fields = fields


class PasteSerializer(StrictSerializer):
    """Rows with headings as they are copied from a table, or lines of label and value."""

    text = serializers.CharField(max_length=_LONGEST, trim_whitespace=False, allow_blank=True)


class PastePreviewSerializer(serializers.Serializer[Any]):
    read = serializers.IntegerField()
    rejected = serializers.IntegerField()
    rows = EntryPreviewRowSerializer(many=True)


class PastedSerializer(serializers.Serializer[Any]):
    """The guarantees of a text, in its order, and the batch of the day."""

    batch = ImportBatchSerializer()
    guarantees = EnteredSerializer(many=True)


class EntersGuarantees(GenericViewSet[Any]):
    """The addresses by which guarantees come in one by one."""

    @extend_schema(
        request=EntrySerializer,
        responses={201: EnteredSerializer},
        examples=[
            OpenApiExample(
                "A guarantee for a contract",
                value={
                    "number": "LG-9",
                    "supplier": "Al Noor Trading",
                    "bank": "Riyad Bank",
                    "amount": "1,500",
                    "contract": "C-9",
                    "expiry_date": "31/12/2030",
                },
                request_only=True,
            )
        ],
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Enter a guarantee; it comes into the manual batch of the day."""
        if not isinstance(request.data, dict):
            raise serializers.ValidationError(_("Send an object."), code="invalid")
        entered = enter_guarantee(request.data, acting_user=caller(request), surface=SURFACE)
        (told,) = _told(entered)
        return Response(
            told,
            status=201,
            headers={"Location": reverse("api-guarantees-detail", args=[told["id"]])},
        )

    @extend_schema(
        operation_id="guarantees_paste",
        request=PasteSerializer,
        responses={201: PastedSerializer},
        examples=[OpenApiExample("Lines", value={"text": _PASTED}, request_only=True)],
    )
    @action(detail=False, methods=["post"])
    @idempotent
    def paste(self, request: Request) -> Response:
        """Enter all guarantees of a text, or none of them."""
        by: dict[str, Any] = {"acting_user": caller(request), "surface": SURFACE}
        entered = paste_guarantees(_text(request), **by)
        batch = ImportBatchSerializer(entered.batch).data
        return Response(
            {"batch": batch, "guarantees": _told(entered)},
            status=201,
            headers={"Location": reverse("api-import-batches-detail", args=[entered.batch.pk])},
        )

    @extend_schema(
        operation_id="guarantees_paste_preview",
        request=PasteSerializer,
        responses=PastePreviewSerializer,
        examples=[OpenApiExample("Lines", value={"text": _PASTED}, request_only=True)],
    )
    @action(detail=False, methods=["post"], url_path="paste/preview")
    def paste_preview(self, request: Request) -> Response:
        """What a text would become, guarantee by guarantee; nothing is written."""
        by: dict[str, Any] = {"acting_user": caller(request), "surface": SURFACE}
        rows = [row.as_json() for row in preview_pasted(_text(request), **by)]
        rejected = sum(row["status"] == "rejected" for row in rows)
        return Response({"read": len(rows), "rejected": rejected, "rows": rows})


def _text(request: Request) -> str:
    given = PasteSerializer(data=request.data)
    given.is_valid(raise_exception=True)
    text: str = given.validated_data["text"]
    return text


def _told(entered: Entered) -> list[dict[str, Any]]:
    """The new guarantees with their warnings."""
    return [
        dict(GuaranteeSerializer(guarantee).data)
        | {"warnings": [warning.as_json() for warning in warnings]}
        for guarantee, warnings in zip(entered.guarantees, entered.warnings, strict=True)
    ]
