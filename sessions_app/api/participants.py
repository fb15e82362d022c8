"""``/api/v1/sessions/{session_id}/participants/``: who is in a session (collaboration.md)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from migrations_tools.api.access import SURFACE, caller
from migrations_tools.api.fields import asked, given
from migrations_tools.api.idempotency import idempotent
from migrations_tools.api.pages import Pages
from migrations_tools.api.versions import require_match, tagged
from sessions_app.api.collaboration_shapes import (
    InvitationSerializer,
    NewRoleSerializer,
    ParticipantQuerySerializer,
    ParticipantSerializer,
)
from sessions_app.collaboration.errors import ParticipantNotFound
from sessions_app.collaboration.state import Collaboration, Member
from sessions_app.reading.collaboration import email_of
from sessions_app.services import collaboration

_INVITATION = OpenApiExample(
    "An editor", {"email": "bob@example.com", "role": "editor"}, request_only=True
)


class ParticipantListView(GenericAPIView[Any]):
    """Everybody who is or was in a session."""

    serializer_class = ParticipantSerializer
    pagination_class = Pages

    @extend_schema(
        operation_id="sessions_participants_list",
        parameters=[ParticipantQuerySerializer],
        responses=ParticipantSerializer(many=True),
    )
    def get(self, request: Request, session_id: str) -> Response:
        """By address; for whoever is in the session or invited to it."""
        query = asked(ParticipantQuerySerializer, request)
        session = collaboration.session_details(session_id, acting_user=request.user)
        found = [
            session.members[email]
            for email in sorted(session.members)
            if all(getattr(session.members[email], name) == value for name, value in query.items())
        ]
        page = self.paginate_queryset(found) or []
        return self.get_paginated_response(ParticipantSerializer(page, many=True).data)

    @extend_schema(
        operation_id="sessions_participants_create",
        request=InvitationSerializer,
        responses={201: ParticipantSerializer},
        examples=[_INVITATION],
    )
    @idempotent
    def post(self, request: Request, session_id: str) -> Response:
        """Invite an address, for owners and admins."""
        return _invited(request, session_id)


class InviteView(GenericAPIView[Any]):
    serializer_class = InvitationSerializer

    @extend_schema(
        operation_id="sessions_invite",
        responses={201: ParticipantSerializer},
        examples=[_INVITATION],
    )
    @idempotent
    def post(self, request: Request, session_id: str) -> Response:
        """Invite an address as admin, editor or viewer, for owners and admins."""
        return _invited(request, session_id)


class ParticipantView(GenericAPIView[Any]):
    """One participant, by e-mail address."""

    serializer_class = ParticipantSerializer

    @extend_schema(operation_id="sessions_participants_retrieve")
    def get(self, request: Request, session_id: str, email: str) -> Response:
        session = collaboration.session_details(session_id, acting_user=request.user)
        return _told(_member(session, email))

    @extend_schema(operation_id="sessions_participants_update", request=NewRoleSerializer)
    def patch(self, request: Request, session_id: str, email: str) -> Response:
        """Give somebody another role than the owner's."""
        session = collaboration.change_role(
            session_id,
            email=email,
            **given(NewRoleSerializer, request),
            acting_user=caller(request),
            surface=SURFACE,
            expected=_as_seen(request, email),
        )
        return _told(_member(session, email))

    @extend_schema(operation_id="sessions_participants_destroy", responses={204: None})
    def delete(self, request: Request, session_id: str, email: str) -> Response:
        """Take somebody out, or an invitation back; the person can be invited again."""
        collaboration.remove_participant(
            session_id,
            email=email,
            acting_user=caller(request),
            surface=SURFACE,
            expected=_as_seen(request, email),
        )
        return Response(status=204)


def _invited(request: Request, session_id: str) -> Response:
    invitation = given(InvitationSerializer, request)
    session = collaboration.invite(
        session_id, **invitation, acting_user=caller(request), surface=SURFACE
    )
    member = _member(session, invitation["email"])
    address = reverse("api-participant", args=[session.session_id, member.email])
    return _told(member, status=201, location=address)


def _member(session: Collaboration, email: str) -> Member:
    member = session.members.get(email_of(email) or "")
    if member is None:
        raise ParticipantNotFound(_("Nobody of that address is in the session."))
    return member


def _as_seen(request: Request, email: str) -> Callable[[Collaboration], None]:
    """Refuses a change of somebody who is no longer as the caller read it."""
    return lambda held: require_match(request, ParticipantSerializer(_member(held, email)).data)


def _told(member: Member, *, status: int = 200, location: str = "") -> Response:
    return tagged(ParticipantSerializer(member).data, status=status, location=location)
