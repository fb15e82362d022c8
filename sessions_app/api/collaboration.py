"""``/api/v1/sessions/``: collaboration sessions, whichever system leads (collaboration.md)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from migrations_tools.api.access import SURFACE, caller
from migrations_tools.api.fields import ReasonSerializer, asked, given
from migrations_tools.api.idempotency import idempotent
from migrations_tools.api.pages import Pages
from migrations_tools.api.versions import require_match, tagged
from sessions_app.api.collaboration_shapes import (
    AccessQuerySerializer,
    NewSessionSerializer,
    OwnPartSerializer,
    ParticipantAddressSerializer,
    ParticipantSerializer,
    SessionFileSerializer,
    SessionQuerySerializer,
    SessionSerializer,
    SessionWordsSerializer,
    session_told,
)
from sessions_app.collaboration.roles import Right
from sessions_app.collaboration.state import Collaboration
from sessions_app.reading.collaboration import email_of
from sessions_app.services import collaboration
from sessions_app.services.collaboration import Which

_NEW = OpenApiExample(
    "A session", {"title": "Compilers", "description": "Second term"}, request_only=True
)


class SessionListView(GenericAPIView[Any]):
    """One's collaboration sessions, and new ones."""

    serializer_class = SessionSerializer
    pagination_class = Pages

    @extend_schema(
        operation_id="sessions_list",
        parameters=[SessionQuerySerializer],
        responses=SessionSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """Own sessions, shared ones and invitations, newest activity first."""
        query = asked(SessionQuerySerializer, request)
        user = caller(request)
        found = collaboration.list_sessions(
            acting_user=user,
            which=Which(query["which"]),
            status=query["status"],
            search=query["search"],
        )
        page = self.paginate_queryset(found) or []
        return self.get_paginated_response([session_told(each, user) for each in page])

    @extend_schema(
        operation_id="sessions_create",
        request=NewSessionSerializer,
        responses={201: SessionSerializer},
        examples=[_NEW],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """A session that the caller owns."""
        session = collaboration.create_session(
            **given(NewSessionSerializer, request), acting_user=caller(request), surface=SURFACE
        )
        address = reverse("api-session", args=[session.session_id])
        return tagged(session_told(session, caller(request)), status=201, location=address)


class SessionView(GenericAPIView[Any]):
    """One collaboration session."""

    serializer_class = SessionSerializer

    @extend_schema(operation_id="sessions_retrieve")
    def get(self, request: Request, session_id: str) -> Response:
        """For whoever is in it or invited to it, with its ``ETag``."""
        session = collaboration.session_details(session_id, acting_user=request.user)
        return tagged(session_told(session, caller(request)))

    @extend_schema(operation_id="sessions_update", request=SessionWordsSerializer)
    def patch(self, request: Request, session_id: str) -> Response:
        """Change title and description, for whoever edits."""
        user = caller(request)
        session = collaboration.edit_session(
            session_id,
            **given(SessionWordsSerializer, request),
            acting_user=user,
            surface=SURFACE,
            expected=lambda held: require_match(request, session_told(held, user)),
        )
        return tagged(session_told(session, user))

    @extend_schema(operation_id="sessions_destroy", responses={204: None})
    def delete(self, request: Request, session_id: str) -> Response:
        """Hide the session from everybody, for good; for its owner."""
        user = caller(request)
        collaboration.delete_session(
            session_id,
            acting_user=user,
            surface=SURFACE,
            expected=lambda held: require_match(request, session_told(held, user)),
        )
        return Response(status=204)


#: What an action of the services is: of a session, by whom, on which surface, why.
_Deed = Callable[..., Collaboration]


class _DeedView(GenericAPIView[Any]):
    """An action that needs nothing but a reason."""

    serializer_class = ReasonSerializer

    def carry_out(self, deed: _Deed, request: Request, session_id: str) -> Collaboration:
        return deed(
            session_id,
            reason=given(ReasonSerializer, request)["reason"],
            acting_user=caller(request),
            surface=SURFACE,
        )

    def answer(self, deed: _Deed, request: Request, session_id: str) -> Response:
        session = self.carry_out(deed, request, session_id)
        return tagged(session_told(session, caller(request)))


class AcceptView(_DeedView):
    @extend_schema(operation_id="sessions_accept", responses=SessionSerializer)
    @idempotent
    def post(self, request: Request, session_id: str) -> Response:
        """Take up one's invitation, or come back after having left."""
        return self.answer(collaboration.accept_invitation, request, session_id)


class LeaveView(_DeedView):
    @extend_schema(operation_id="sessions_leave", responses=ParticipantSerializer)
    @idempotent
    def post(self, request: Request, session_id: str) -> Response:
        """Go; the owner cannot. Answers what became of one's part."""
        session = self.carry_out(collaboration.leave_session, request, session_id)
        member = session.members[email_of(caller(request).email) or ""]
        return Response(ParticipantSerializer(member).data)


class ArchiveView(_DeedView):
    @extend_schema(operation_id="sessions_archive", responses=SessionSerializer)
    @idempotent
    def post(self, request: Request, session_id: str) -> Response:
        """Put a session away; its people still see it. For its owner."""
        return self.answer(collaboration.archive_session, request, session_id)


class RestoreView(_DeedView):
    @extend_schema(operation_id="sessions_restore", responses=SessionSerializer)
    @idempotent
    def post(self, request: Request, session_id: str) -> Response:
        """Take an archived session up again. For its owner."""
        return self.answer(collaboration.restore_session, request, session_id)


class TransferView(GenericAPIView[Any]):
    serializer_class = ParticipantAddressSerializer

    @extend_schema(operation_id="sessions_transfer", responses=SessionSerializer)
    @idempotent
    def post(self, request: Request, session_id: str) -> Response:
        """Make an active participant the owner; the calling owner becomes an admin."""
        session = collaboration.transfer_ownership(
            session_id,
            **given(ParticipantAddressSerializer, request),
            acting_user=caller(request),
            surface=SURFACE,
        )
        return tagged(session_told(session, caller(request)))


class ActiveUsersView(GenericAPIView[Any]):
    serializer_class = ParticipantSerializer
    pagination_class = Pages

    @extend_schema(
        operation_id="sessions_active_users_list", responses=ParticipantSerializer(many=True)
    )
    def get(self, request: Request, session_id: str) -> Response:
        """Those who are in the session now – not invited, gone or removed –, by address."""
        found = collaboration.active_users(session_id, acting_user=request.user)
        page = self.paginate_queryset(found) or []
        return self.get_paginated_response(ParticipantSerializer(page, many=True).data)


class AccessView(GenericAPIView[Any]):
    serializer_class = OwnPartSerializer

    @extend_schema(operation_id="sessions_access", parameters=[AccessQuerySerializer])
    def get(self, request: Request, session_id: str) -> Response:
        """One's role and rights in a session; 403 without the ``right`` that is asked for."""
        right = Right(asked(AccessQuerySerializer, request)["right"])
        access = collaboration.check_access(session_id, acting_user=request.user, right=right)
        rights = [each.value for each in Right if each in access.rights]
        told = {"role": access.role, "status": access.status, "rights": rights}
        return Response(OwnPartSerializer(told).data)


class FilesView(GenericAPIView[Any]):
    serializer_class = SessionFileSerializer
    pagination_class = Pages

    @extend_schema(operation_id="sessions_files_list", responses=SessionFileSerializer(many=True))
    def get(self, request: Request, session_id: str) -> Response:
        """The files that people put into a session, by name and path."""
        found = collaboration.session_files(session_id, acting_user=request.user)
        page = self.paginate_queryset(found) or []
        return self.get_paginated_response(SessionFileSerializer(page, many=True).data)
