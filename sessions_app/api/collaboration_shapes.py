"""Collaboration sessions as the API tells and takes them (collaboration.md)."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from rest_framework import serializers

from migrations_tools.api.fields import ReasonSerializer
from sessions_app.collaboration.roles import Right, rights_of
from sessions_app.collaboration.state import Collaboration, Member
from sessions_app.models import ParticipantRole, ParticipantStatus, SessionStatus
from sessions_app.reading.collaboration import email_of
from sessions_app.services.collaboration import Which

_STATUSES = [
    (status.value, status.label) for status in (SessionStatus.ACTIVE, SessionStatus.ARCHIVED)
]
#: Longer texts are not looked at; the services say how long a title or an address may be.
_LONGEST_LINE = 1_000
_LONGEST_TEXT = 100_000


class ParticipantSerializer(serializers.Serializer[Any]):
    """`sessions_app.collaboration.state.Member`: people of a session know each other's address."""

    email = serializers.CharField()
    display_name = serializers.CharField()
    role = serializers.ChoiceField(choices=ParticipantRole.choices)
    status = serializers.ChoiceField(choices=ParticipantStatus.choices)
    invited_by = serializers.CharField()
    invited_at = serializers.DateTimeField(allow_null=True)
    joined_at = serializers.DateTimeField(allow_null=True)


class OwnPartSerializer(serializers.Serializer[Any]):
    """What the caller is in a session, and may do there."""

    role = serializers.ChoiceField(choices=ParticipantRole.choices)
    status = serializers.ChoiceField(choices=ParticipantStatus.choices)
    rights = serializers.ListField(
        child=serializers.ChoiceField(choices=[right.value for right in Right])
    )


class SessionSerializer(serializers.Serializer[Any]):
    """`sessions_app.collaboration.state.Collaboration`, as somebody in it sees it."""

    session_id = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    status = serializers.ChoiceField(choices=_STATUSES)
    owner = serializers.CharField(allow_null=True, help_text="An e-mail address.")
    created_at = serializers.DateTimeField()
    last_activity_at = serializers.DateTimeField(allow_null=True)
    own = OwnPartSerializer(allow_null=True)
    participants = ParticipantSerializer(many=True)


class SessionFileSerializer(serializers.Serializer[Any]):
    """``path`` is where the old system kept it; files are not served."""

    name = serializers.CharField()
    path = serializers.CharField()
    uploaded_by = serializers.CharField(help_text="An e-mail address.")
    uploaded_at = serializers.DateTimeField(allow_null=True)


class SessionQuerySerializer(serializers.Serializer[Any]):
    which = serializers.ChoiceField(
        choices=[(each.value, each.value) for each in Which], default=Which.ALL.value
    )
    status = serializers.ChoiceField(choices=_STATUSES, default="")
    search = serializers.CharField(max_length=200, default="")


class ParticipantQuerySerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=ParticipantStatus.choices, required=False)
    role = serializers.ChoiceField(choices=ParticipantRole.choices, required=False)


class AccessQuerySerializer(serializers.Serializer[Any]):
    right = serializers.ChoiceField(
        choices=[(right.value, right.value) for right in Right], default=Right.VIEW.value
    )


class SessionWordsSerializer(ReasonSerializer):
    title = serializers.CharField(max_length=_LONGEST_LINE, allow_blank=True, required=False)
    description = serializers.CharField(max_length=_LONGEST_TEXT, allow_blank=True, required=False)


class NewSessionSerializer(SessionWordsSerializer):
    title = serializers.CharField(max_length=_LONGEST_LINE, allow_blank=True)
    session_id = serializers.CharField(
        max_length=_LONGEST_LINE,
        allow_blank=True,
        required=False,
        help_text="A UUID, or 1 to 100 of A–Z, a–z, 0–9, _ and -; a new UUID if not given.",
    )


class NewRoleSerializer(ReasonSerializer):
    role = serializers.CharField(
        max_length=_LONGEST_LINE, allow_blank=True, help_text="`admin`, `editor` or `viewer`."
    )


class ParticipantAddressSerializer(ReasonSerializer):
    email = serializers.CharField(max_length=_LONGEST_LINE, allow_blank=True)


class InvitationSerializer(ParticipantAddressSerializer, NewRoleSerializer):
    """Whom to invite, as what."""


def session_told(session: Collaboration, user: User) -> Any:
    """The session as ``user`` sees it: JSON."""
    email = email_of(user.email) or ""
    member = session.members.get(email)
    owner = session.owner
    own = None if member is None else own_part(member)
    seen = {
        **{
            name: getattr(session, name)
            for name in ("session_id", "title", "description", "status", "created_at")
        },
        "last_activity_at": session.last_activity_at,
        "owner": None if owner is None else owner.email,
        "own": own,
        "participants": [session.members[each] for each in sorted(session.members)],
    }
    return SessionSerializer(seen).data


def own_part(member: Member) -> dict[str, Any]:
    rights = rights_of(member)
    return {
        "role": member.role,
        "status": member.status,
        "rights": [right.value for right in Right if right in rights],
    }
