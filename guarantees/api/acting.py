"""Actions on a guarantee: extend, release, reduce, renew, modify (guarantees.md "Actions")."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from guarantees.action_errors import NotFound
from guarantees.api.representations import ActionSerializer
from guarantees.api.requests import (
    ExtensionSerializer,
    ModificationSerializer,
    ReductionSerializer,
    ReleaseSerializer,
    RenewalSerializer,
)
from guarantees.models import ActionType, Guarantee
from guarantees.services.actions import ActionRequest, draft_action, issue_action
from guarantees.services.actions.drafting import LONGEST_KEY
from migrations_tools.api.access import SURFACE, caller
from migrations_tools.api.idempotency import HEADER, idempotent
from migrations_tools.api.versions import tagged

_DRAFT: Final = OpenApiExample("A draft first", value={"draft": True}, request_only=True)


class ActsOnGuarantees(GenericViewSet[Any]):
    """The addresses of actions below a guarantee's."""

    @extend_schema(
        operation_id="guarantees_extend",
        request=ExtensionSerializer,
        responses={201: ActionSerializer},
        examples=[
            OpenApiExample(
                "To a given day",
                value={"new_expiry": "2027-12-31", "reason": "asked by the site"},
                request_only=True,
            ),
            _DRAFT,
        ],
    )
    @action(detail=True, methods=["post"])
    @idempotent
    def extend(self, request: Request, pk: str) -> Response:
        """Extend it to a later expiry: the given day, or one calendar year later."""
        return _act(request, pk, ActionType.EXTENSION, ExtensionSerializer)

    @extend_schema(
        operation_id="guarantees_release",
        request=ReleaseSerializer,
        responses={201: ActionSerializer},
        examples=[_DRAFT],
    )
    @action(detail=True, methods=["post"])
    @idempotent
    def release(self, request: Request, pk: str) -> Response:
        """Give it back to the bank."""
        return _act(request, pk, ActionType.RELEASE, ReleaseSerializer)

    @extend_schema(
        operation_id="guarantees_reduce",
        request=ReductionSerializer,
        responses={201: ActionSerializer},
        examples=[
            OpenApiExample("To an amount", value={"new_amount": "400.00"}, request_only=True)
        ],
    )
    @action(detail=True, methods=["post"])
    @idempotent
    def reduce(self, request: Request, pk: str) -> Response:
        """Reduce its amount; the expiry stays."""
        return _act(request, pk, ActionType.REDUCTION, ReductionSerializer)

    @extend_schema(
        operation_id="guarantees_renew",
        request=RenewalSerializer,
        responses={201: ActionSerializer},
        examples=[
            OpenApiExample("With an amount", value={"new_amount": "5000.00"}, request_only=True)
        ],
    )
    @action(detail=True, methods=["post"])
    @idempotent
    def renew(self, request: Request, pk: str) -> Response:
        """Extend it, with another amount if one is given."""
        return _act(request, pk, ActionType.RENEWAL, RenewalSerializer)

    @extend_schema(
        operation_id="guarantees_modify",
        request=ModificationSerializer,
        responses={201: ActionSerializer},
        examples=[
            OpenApiExample(
                "A misread amount",
                value={"changes": {"amount": "1500.00"}, "reason": "misread"},
                request_only=True,
            )
        ],
    )
    @action(detail=True, methods=["post"])
    @idempotent
    def modify(self, request: Request, pk: str) -> Response:
        """Correct what was imported, with a reason; protected guarantees too."""
        return _act(request, pk, ActionType.MODIFICATION, ModificationSerializer)


def _act(
    request: Request, pk: str, action_type: str, serializer: type[ReleaseSerializer]
) -> Response:
    given = serializer(data=request.data)
    given.is_valid(raise_exception=True)
    values = given.validated_data
    number = Guarantee.objects.filter(pk=pk).values_list("number", flat=True).first()
    try:
        return act(request, values, action_type=action_type, number=number or "", pk=int(pk))
    except NotFound as refusal:
        if number is not None:
            raise
        # the service knows guarantees by their number, and there is none to name
        raise NotFound(
            _("There is no guarantee with the id %(pk)s.") % {"pk": pk}, guarantee=int(pk)
        ) from refusal


def act(
    request: Request, given: dict[str, Any], *, action_type: str, number: str, pk: int | None
) -> Response:
    """Draft or issue what is asked for; answers with the action."""
    asked = ActionRequest(
        action_type=action_type,
        number=number,
        guarantee_id=pk,
        new_expiry=given.get("new_expiry"),
        new_amount=given.get("new_amount"),
        changes=given.get("changes", {}),
        reason=given["reason"],
        notes=given["notes"],
        idempotency_key=_service_key(request),
    )
    carry_out = draft_action if given["draft"] else issue_action
    made = carry_out(asked, acting_user=caller(request), surface=SURFACE)
    return tagged(
        ActionSerializer(made).data,
        status=201,
        location=reverse("api-actions-detail", args=[made.pk]),
    )


def _service_key(request: Request) -> str | None:
    """The caller's key as the services keep it, for good: keys of two people never meet."""
    key = request.headers.get(HEADER)
    if key is None:
        return None
    owned = f"{caller(request).pk}:{key}"
    if len(owned) <= LONGEST_KEY:
        return owned
    return hashlib.sha256(owned.encode()).hexdigest()
