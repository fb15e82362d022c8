"""Factories of sessions and who takes part in them."""

from __future__ import annotations

from factory.declarations import LazyFunction, Sequence, SubFactory
from factory.django import DjangoModelFactory

from sessions_app.models import (
    ContestResult,
    Difficulty,
    ParticipantRole,
    ParticipantStatus,
    Problem,
    ProblemAttempt,
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


class ProblemFactory(DjangoModelFactory[Problem]):
    class Meta:
        model = Problem

    contest_id = "AMC10A_2022"
    year = 2022
    contest = "AMC 10A"
    number = Sequence(lambda number: number + 1)
    correct_answer = "B"
    difficulty = Difficulty.EASY
    topics = LazyFunction(lambda: ["Algebra", "Exponents"])


class ContestResultFactory(DjangoModelFactory[ContestResult]):
    class Meta:
        model = ContestResult

    session = SubFactory(SessionFactory, kind=SessionKind.CONTEST)
    username = "sam"


class AttemptFactory(DjangoModelFactory[ProblemAttempt]):
    class Meta:
        model = ProblemAttempt

    result = SubFactory(ContestResultFactory)
    position = Sequence(lambda number: number + 1)
    is_correct = True
