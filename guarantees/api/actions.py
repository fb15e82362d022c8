"""``/api/v1/actions/`` and ``/api/v1/action-sessions/``."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import QuerySet
from django.utils.translation import gettext
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from guarantees.action_errors import ChangedMeanwhile
from guarantees.api.acting import act
from guarantees.api.base import DatabaseViewSet
from guarantees.api.filters import ActionFilters, ActionSessionFilters
from guarantees.api.letters import (
    LETTER_OPTIONS,
    LETTER_RESPONSES,
    LetterQuerySerializer,
    WritesLetters,
)
from guarantees.api.representations import ActionSerializer, ActionSessionSerializer
from guarantees.api.requests import (
    DraftSerializer,
    NewActionSerializer,
    NoBodySerializer,
    StrictReasonSerializer,
)
from guarantees.letters import letters_of_session
from guarantees.models import ActionSession, GuaranteeAction
from guarantees.services.actions import (
    ActionRequest,
    discard_draft,
    edit_draft,
    issue_draft,
    lock_action_session,
)
from migrations_tools.api.access import SURFACE, caller
from migrations_tools.api.fields import IdField
from migrations_tools.api.idempotency import idempotent
from migrations_tools.api.versions import require_match

#: Letters of one document.
_MOST_LETTERS: Final = 200


class SeveralQuerySerializer(serializers.Serializer[Any]):
    """Actions by their ids, in an order."""

    id = serializers.ListField(child=IdField(), min_length=1, max_length=_MOST_LETTERS)


class ActionViewSet(WritesLetters, DatabaseViewSet):
    """Actions on guarantees: drafts, and issued ones, which nobody changes."""

    serializer_class = ActionSerializer
    looked_at = GuaranteeAction
    filterset_class = ActionFilters
    search_fields = ("number", "notes", "reason", "supplier_name", "bank_name")
    ordering_fields = ("created_at", "action_date", "issued_at", "number", "id")
    ordering = ("-created_at", "-id")

    def get_queryset(self) -> QuerySet[GuaranteeAction]:
        return GuaranteeAction.objects.select_related("created_by")

    @extend_schema(
        request=NewActionSerializer,
        responses={201: ActionSerializer},
        examples=[
            OpenApiExample(
                "An extension of the newest guarantee of a number",
                value={"action_type": "extension", "number": "LG-1"},
                request_only=True,
            )
        ],
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Act on the newest guarantee of a number; a draft, or issued at once."""
        given = NewActionSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        return act(
            request,
            values,
            action_type=values.pop("action_type"),
            number=values.pop("number"),
            pk=values.pop("guarantee", None),
        )

    @extend_schema(request=DraftSerializer, responses=ActionSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change what a draft says; it notes anew what stands now."""
        given = DraftSerializer(data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        seen = GuaranteeAction.objects.filter(pk=pk).first() or GuaranteeAction()
        edit_draft(
            int(pk),
            _edited(seen, given.validated_data),
            before=lambda draft: _require_seen(request, draft, seen),
            acting_user=caller(request),
            surface=SURFACE,
        )
        return self.shown(int(pk))

    @extend_schema(request=None, responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Discard a draft; its history stays."""
        discard_draft(
            int(pk),
            before=lambda draft: require_match(request, ActionSerializer(draft).data),
            acting_user=caller(request),
            surface=SURFACE,
        )
        return Response(status=204)

    @extend_schema(
        operation_id="actions_issue", request=NoBodySerializer, responses=ActionSerializer
    )
    @action(detail=True, methods=["post"])
    @idempotent
    def issue(self, request: Request, pk: str) -> Response:
        """Issue a draft, if the guarantee still is what it was when the draft was made."""
        NoBodySerializer(data=request.data).is_valid(raise_exception=True)
        issue_draft(int(pk), acting_user=caller(request), surface=SURFACE)
        return self.shown(int(pk))

    @extend_schema(
        operation_id="actions_letter",
        parameters=[LetterQuerySerializer],
        responses=LETTER_RESPONSES,
        filters=False,
    )
    @action(detail=True, methods=["get"], **LETTER_OPTIONS)
    def letter(self, request: Request, pk: str) -> Response:
        """The letter to the bank about an issued extension or release."""
        return self.letters(request, [int(pk)])

    @extend_schema(
        operation_id="actions_letters",
        parameters=[
            LetterQuerySerializer,
            OpenApiParameter("id", {"type": "array", "items": {"type": "integer"}}, required=True),
        ],
        responses=LETTER_RESPONSES,
        filters=False,
    )
    @action(
        detail=False, methods=["get"], url_path="letters", pagination_class=None, **LETTER_OPTIONS
    )
    def several_letters(self, request: Request) -> Response:
        """Letters of several actions in one document, in the order in which they are named."""
        asked = SeveralQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        return self.letters(request, asked.validated_data["id"])


class ActionSessionViewSet(WritesLetters, DatabaseViewSet):
    """A day's work on actions. Locked, a session takes no new or changed action."""

    serializer_class = ActionSessionSerializer
    looked_at = ActionSession
    filterset_class = ActionSessionFilters
    ordering_fields = ("day", "id", "total_actions", "issued_actions")
    ordering = ("-day", "-id")

    def get_queryset(self) -> QuerySet[ActionSession]:
        return ActionSession.objects.all()

    @extend_schema(
        operation_id="action_sessions_lock",
        request=StrictReasonSerializer,
        responses=ActionSessionSerializer,
    )
    @action(detail=True, methods=["post"])
    @idempotent
    def lock(self, request: Request, pk: str) -> Response:
        """Lock a session for good; the day goes on in a new one."""
        given = StrictReasonSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        lock_action_session(
            int(pk), reason=given.validated_data["reason"],
            acting_user=caller(request), surface=SURFACE,
        )  # fmt: skip
        return self.shown(int(pk))

    @extend_schema(
        operation_id="action_sessions_letters",
        parameters=[LetterQuerySerializer],
        responses=LETTER_RESPONSES,
        filters=False,
    )
    @action(detail=True, methods=["get"], url_path="letters", **LETTER_OPTIONS)
    def all_letters(self, request: Request, pk: str) -> Response:
        """The letters of a session in one document, a page each."""
        session = self.get_object()
        return self.letters(request, letters_of_session(session.pk))


def _require_seen(request: Request, draft: GuaranteeAction, seen: GuaranteeAction) -> None:
    """The locked draft is what the caller read, and what its edited version was made from."""
    now = ActionSerializer(draft).data
    require_match(request, now)
    if now != ActionSerializer(seen).data:
        raise ChangedMeanwhile(
            gettext("Draft %(draft)s was changed at the same moment; look at it, and try again.")
            % {"draft": draft.pk},
            action=draft.pk,
        )


def _edited(draft: GuaranteeAction, asked: dict[str, Any]) -> ActionRequest:
    """What the draft is to say: what is asked for, and otherwise what it says already."""
    said = {
        "new_expiry": draft.new_expiry,
        "new_amount": draft.new_amount,
        "changes": {name: new for name, (_, new) in draft.changes.items()},
        "reason": draft.reason,
        "notes": draft.notes,
    }
    return ActionRequest(action_type=draft.action_type, number=draft.number, **said | asked)
