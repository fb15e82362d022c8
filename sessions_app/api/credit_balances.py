"""``/api/v1/credits/``: what bookings cost (lessons.md "Booking")."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from migrations_tools.api.access import caller
from migrations_tools.api.fields import IdField, asked, given
from migrations_tools.api.idempotency import idempotent
from migrations_tools.api.pages import Pages
from sessions_app.models import CreditReason
from sessions_app.selectors.lessons.credits import balance_of, find_account, transactions_of
from sessions_app.services.lessons import adjust_credits
from sessions_app.services.lessons.credits import LARGEST_ADJUSTMENT


class CreditQuerySerializer(serializers.Serializer[Any]):
    student = IdField(required=False, help_text="For admins; else oneself.")


class CreditBalanceSerializer(serializers.Serializer[Any]):
    student = serializers.IntegerField()
    credit_balance = serializers.IntegerField()


class CreditTransactionSerializer(serializers.Serializer[Any]):
    """`sessions_app.models.CreditTransaction`; ``amount`` is signed."""

    id = serializers.IntegerField()
    student = serializers.IntegerField(source="user_id")
    booking = serializers.IntegerField(source="booking_id", allow_null=True)
    reason = serializers.ChoiceField(choices=CreditReason.choices)
    amount = serializers.IntegerField()
    balance_after = serializers.IntegerField()
    note = serializers.CharField()
    created_at = serializers.DateTimeField()


class NewCreditAdjustmentSerializer(serializers.Serializer[Any]):
    student = IdField()
    amount = serializers.IntegerField(min_value=-LARGEST_ADJUSTMENT, max_value=LARGEST_ADJUSTMENT)
    note = serializers.CharField(max_length=2_000, allow_blank=True)


class CreditBalanceView(GenericAPIView[Any]):
    serializer_class = CreditBalanceSerializer

    @extend_schema(operation_id="credits_balance", parameters=[CreditQuerySerializer])
    def get(self, request: Request) -> Response:
        """What one has; admins ask for anybody."""
        student = _student(request)
        told = {"student": student.pk, "credit_balance": balance_of(student)}
        return Response(CreditBalanceSerializer(told).data)


class CreditTransactionListView(GenericAPIView[Any]):
    """Every change of somebody's credits."""

    serializer_class = CreditTransactionSerializer
    pagination_class = Pages

    @extend_schema(
        operation_id="credits_transactions_list",
        parameters=[CreditQuerySerializer],
        responses=CreditTransactionSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """One's own, the newest first; admins ask for anybody."""
        page = self.paginate_queryset(transactions_of(_student(request)))
        return self.get_paginated_response(CreditTransactionSerializer(page, many=True).data)

    @extend_schema(
        operation_id="credits_adjust",
        request=NewCreditAdjustmentSerializer,
        responses={201: CreditTransactionSerializer},
        examples=[
            OpenApiExample(
                "A gift", {"student": 17, "amount": 5, "note": "Welcome"}, request_only=True
            )
        ],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Give credits, or take them (a negative ``amount``); for admins, who say why."""
        said = given(NewCreditAdjustmentSerializer, request)
        student = find_account(caller(request), said["student"])
        change = adjust_credits(
            student, said["amount"], note=said["note"], acting_user=caller(request)
        )
        return Response(CreditTransactionSerializer(change).data, status=201)


def _student(request: Request) -> User:
    wanted = asked(CreditQuerySerializer, request).get("student")
    return caller(request) if wanted is None else find_account(caller(request), wanted)
