"""Factories of sessions and who takes part in them."""

from __future__ import annotations

from factory.declarations import Sequence, SubFactory
from factory.django import DjangoModelFactory

from sessions_app.models import (
    ParticipantRole,
    ParticipantStatus,
    Project,
    Session,
    SessionKind,
    SessionParticipant,
)


class ProjectFactory(DjangoModelFactory[Project]):
    class Meta:
        model = Project

    name = Sequence("Project {}".format)


class SessionFactory(DjangoModelFactory[Session]):
    class Meta:
        model = Session

    session_id = Sequence("session-{}".format)
    kind = SessionKind.COLLABORATION


class ParticipantFactory(DjangoModelFactory[SessionParticipant]):
    class Meta:
        model = SessionParticipant

    session = SubFactory(SessionFactory)
    email = Sequence("person{}@example.com".format)
    role = ParticipantRole.EDITOR
    status = ParticipantStatus.ACTIVE
