"""Agent sessions and projects as the API tells and takes them (agents.md)."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from rest_framework import serializers

from migrations_tools.api.fields import ReasonSerializer
from migrations_tools.states import Surface
from sessions_app.api.requests import JSONObjectField, PersonSerializer
from sessions_app.models import (
    SESSION_TRANSITIONS,
    Actor,
    Project,
    ProjectStatus,
    SessionKind,
    SessionStatus,
    SwitchState,
)
from sessions_app.services.agent_sessions import ProjectSource

AGENT_STATUSES = [
    (status.value, status.label)
    for status in SessionStatus
    if status in SESSION_TRANSITIONS[SessionKind.AGENT]
]
_ENDS = [
    (status.value, status.label) for status in (SessionStatus.COMPLETED, SessionStatus.ABANDONED)
]


class ProjectReferenceSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()


class AgentSessionSerializer(serializers.Serializer[Any]):
    """An agent session; without a project it is an orphan."""

    session_id = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    status = serializers.ChoiceField(choices=AGENT_STATUSES)
    project = ProjectReferenceSerializer(allow_null=True)
    user = PersonSerializer(allow_null=True)
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    last_activity_at = serializers.DateTimeField(allow_null=True)
    metadata = serializers.DictField()


class NewAgentSessionSerializer(serializers.Serializer[Any]):
    session_id = serializers.CharField(
        max_length=255, required=False, help_text="The public id; a new UUID if not given."
    )
    title = serializers.CharField(max_length=255, required=False, allow_blank=True)
    description = serializers.CharField(max_length=100_000, required=False, allow_blank=True)
    project = serializers.UUIDField(
        required=False, allow_null=True, help_text="Resolved if not given."
    )
    user = serializers.PrimaryKeyRelatedField(
        queryset=User.objects.filter(is_active=True),
        required=False,
        allow_null=True,
        help_text="Whose session; for staff. One's own if not given.",
    )
    metadata = JSONObjectField(required=False)

    def validate_session_id(self, value: str) -> str:
        """It stands in addresses."""
        if "/" in value:
            raise serializers.ValidationError(_("An id holds no slash."), code="invalid")
        return value


class EndAgentSessionSerializer(ReasonSerializer):
    status = serializers.ChoiceField(choices=_ENDS, default=SessionStatus.COMPLETED.value)


class SwitchProjectSerializer(ReasonSerializer):
    project = serializers.UUIDField()


class AssignProjectSerializer(ReasonSerializer):
    name = serializers.CharField(
        max_length=255, help_text="A project's name, or a part that only one has."
    )


class ProjectSwitchSerializer(serializers.Serializer[Any]):
    """`sessions_app.models.ProjectSwitch`."""

    from_project = ProjectReferenceSerializer(allow_null=True)
    to_project = ProjectReferenceSerializer()
    state = serializers.ChoiceField(choices=SwitchState.choices)
    failure = serializers.CharField()
    actor = PersonSerializer()
    surface = serializers.ChoiceField(choices=Surface.choices)
    reason = serializers.CharField()
    started_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class ActivityEventSerializer(serializers.Serializer[Any]):
    """`sessions_app.models.ActivityEvent`; ``project`` is an id as written."""

    event_id = serializers.CharField()
    occurred_at = serializers.DateTimeField(allow_null=True)
    actor = serializers.CharField()
    project = serializers.CharField(allow_null=True)
    event_type = serializers.CharField()
    payload = serializers.JSONField()


class NewActivityEventSerializer(serializers.Serializer[Any]):
    event_type = serializers.CharField(max_length=100)
    actor = serializers.ChoiceField(choices=Actor.choices)
    payload = JSONObjectField(required=False)


class TimedOutSessionsSerializer(serializers.Serializer[Any]):
    timed_out = serializers.IntegerField(help_text="Sessions.")


class AgentAlertSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()


class AgentHealthSerializer(serializers.Serializer[Any]):
    """`sessions_app.selectors.agent_health`; runs are ids."""

    orphans = serializers.IntegerField()
    parked = serializers.IntegerField()
    orphans_awaiting_review = serializers.IntegerField()
    last_run = serializers.UUIDField(allow_null=True)
    active_runs = serializers.ListField(child=serializers.UUIDField())
    damaged_backups = serializers.ListField(child=serializers.UUIDField())
    broken_foreign_keys = serializers.IntegerField()
    alerts = AgentAlertSerializer(many=True)


class ProjectResolutionSerializer(serializers.Serializer[Any]):
    """``project`` is null where one's personal project has still to be made; ``chosen_by`` says
    which step of the resolution found it.
    """

    project = ProjectReferenceSerializer(allow_null=True)
    chosen_by = serializers.ChoiceField(
        choices=[(each.value, each.value) for each in ProjectSource]
    )


class ProjectSerializer(serializers.ModelSerializer[Project]):
    class Meta:
        model = Project
        fields = ("id", "name", "status", "is_primary", "description", "created_at")
        read_only_fields = fields


class ProjectValuesSerializer(ReasonSerializer):
    name = serializers.CharField(max_length=255)
    status = serializers.ChoiceField(choices=ProjectStatus.choices, required=False)
    is_primary = serializers.BooleanField(required=False)
    description = serializers.CharField(max_length=100_000, required=False, allow_blank=True)
