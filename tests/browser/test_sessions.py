"""A day with sessions: a collaboration, an orphan, a lesson with its students, a contest."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from migrations_tools.cutover.stages import Stage
from sessions_app.models import ActivityEvent, ContestResult, Lesson, Session
from tests.sessions_app import academy
from tests.sessions_app.factories import (
    AttemptFactory,
    ContestResultFactory,
    ProjectFactory,
    SessionFactory,
)
from tests.sessions_app.lesson_factories import AttendanceFactory, FeedbackFactory
from tests.sessions_app.services.collaboration.acting import SID, act, at_stage

pytestmark = pytest.mark.django_db(transaction=True)

TOPICS = ["Algebra", "Geometry", "Number Theory", "Counting and Probability", "Logic"]


@pytest.fixture
def amal() -> User:
    return User.objects.create_superuser("amal", "amal@example.com", first_name="Amal")


def page_of(obj: Any, model: str = "") -> str:
    model = model or obj._meta.model_name
    return reverse(f"admin:sessions_app_{model}_change", args=[obj.pk])


def collaboration() -> Session:
    at_stage(Stage.COMPLETE)
    act(0, "ann", "create", "Compilers")
    for minute, name in enumerate(("bob", "carol"), 1):
        act(minute, "ann", "invite", name, "editor")
    act(5, "bob", "accept")
    return Session.objects.get(session_id=SID)


def orphan() -> Session:
    alpha = ProjectFactory.create(name="Harbour crane")
    session = SessionFactory.create(kind="agent", title="Fix the brake", session_id="agent-7")
    for number, project in enumerate([alpha.pk, alpha.pk, alpha.pk, None]):
        ActivityEvent.objects.create(
            event_id=f"event-{number}",
            session_ref=session.session_id,
            project=None if project is None else str(project),
            event_type="edit",
            actor="human",
            occurred_at=timezone.now() - timedelta(minutes=number),
        )
    return session


def lesson() -> Lesson:
    soon = timezone.localtime().replace(hour=17, minute=0) + timedelta(days=2)
    start, end = soon.date() - timedelta(days=40), soon.date() + timedelta(days=40)
    teacher = academy.instructor(first_name="Tarek", last_name="Nasser", username="tarek")
    semester = academy.semester(
        start_date=start, end_date=end, name="Spring", master_instructor=teacher
    )
    made = academy.lesson(
        "Passing under pressure", starts_at=soon, semester=semester, instructor=teacher, capacity=2
    )
    for number, name in enumerate(["Ada", "Bea", "Cleo"]):
        student = academy.student(username=name.lower(), first_name=name)
        if number < 2:
            academy.confirmed(made, student)
        else:
            academy.waiting(made, student, 1)
    academy.student(username="dina", first_name="Dina")
    past = academy.lesson("Corners", starts_at=soon - timedelta(days=4), semester=semester)
    booking = academy.confirmed(past, User.objects.get(username="ada"))
    AttendanceFactory.create(booking=booking)
    FeedbackFactory.create(lesson=past, student=booking.student, comment="Well explained.")
    return made


def contest(sam: User, correct: int) -> ContestResult:
    buckets = {
        name: {"attempted": 5, "correct": min(5, place + correct % 3), "accuracy": accuracy}
        for place, (name, accuracy) in enumerate(
            zip(TOPICS, (80.0, 60.0, 20.0, 100.0, 40.0), strict=True)
        )
    }
    result = ContestResultFactory.create(
        user=sam,
        username="sam",
        contest="AMC 10A",
        year=2022,
        mode="competition",
        total_attempted=25,
        total_time_ms=750_000,
        performance_metrics={
            "total_attempted": 25,
            "total_correct": correct,
            "accuracy_percentage": 4.0 * correct,
        },
        topic_performance=buckets,
        difficulty_performance={
            "easy": {"attempted": 10, "correct": 8, "accuracy": 80.0},
            "medium": {"attempted": 10, "correct": 5, "accuracy": 50.0},
            "hard": {"attempted": 5, "correct": 1, "accuracy": 20.0},
        },
    )
    for position in range(1, 27):
        AttemptFactory.create(
            result=result,
            position=position,
            problem_ref=f"AMC10A_2022_{position}",
            is_correct=position <= correct,
            difficulty="easy",
            topics=[TOPICS[position % 5]],
            time_spent_ms=position * 900,
        )
    return result


def confirm(page: Page, button: str) -> None:
    page.locator("form.confirm").get_by_role("button", name=button).click()


def test_an_operator_invites_hands_over_and_archives(browse, amal, assert_accessible):
    session = collaboration()
    page = browse(amal, path=page_of(session, "collaborationsession"))
    assert_accessible(page)
    page.get_by_role("link", name="Invite", exact=True).click()
    assert_accessible(page)
    page.get_by_label("E-mail address").fill("dana@example.com")
    page.get_by_label("Role").select_option("admin")
    confirm(page, "Invite")
    expect(page.get_by_text("dana@example.com is invited.")).to_be_visible()
    page.get_by_role("link", name="Make owner: bob@example.com").click()
    confirm(page, "Make owner")
    expect(page.get_by_text("bob@example.com owns the session now.")).to_be_visible()
    stale = browse(amal, path=page.url + "../do/archive/")
    page.get_by_role("link", name="Archive", exact=True).click()
    page.get_by_label("Reason").fill("The course is over")
    confirm(page, "Archive")
    expect(page.get_by_text("The session is archived.")).to_be_visible()
    confirm(stale, "Archive")
    expect(stale.get_by_text("The course is over, amal")).to_be_visible()
    session.refresh_from_db()
    assert session.status == "archived"


def test_an_orphan_finds_its_project(browse, amal, assert_accessible):
    session = orphan()
    page = browse(amal, path=reverse("admin:sessions_app_agentsession_changelist"))
    page.get_by_role("link", name="Health and alerts").click()
    expect(page.get_by_role("heading", name="Health of agent sessions")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("link", name="orphans").click()
    page.get_by_role("link", name="agent-7").click()
    expect(page.get_by_role("heading", name="Newest events")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("link", name="Assign by name").click()
    page.get_by_label("Project").fill("crane")
    confirm(page, "Assign by name")
    expect(page.get_by_text("The session belongs to “Harbour crane” now.")).to_be_visible()
    session.refresh_from_db()
    assert session.project is not None


def test_an_instructor_fills_a_lesson_and_looks_at_the_week(browse, assert_accessible):
    made = lesson()
    teacher = User.objects.get(username="tarek")
    User.objects.filter(pk=teacher.pk).update(is_staff=True)
    teacher.groups.add(Group.objects.get(name="Instructor"))
    page = browse(User.objects.get(pk=teacher.pk), path=page_of(made))
    assert_accessible(page)
    page.get_by_role("link", name="Book for a student").click()
    page.get_by_label("Student").fill("dina")
    confirm(page, "Book for a student")
    expect(page.get_by_text("Dina waits for a seat at place 2.")).to_be_visible()
    page.get_by_role("link", name="Cancel the booking: Ada").click()
    confirm(page, "Cancel the booking")
    expect(page.get_by_role("row", name="Cleo")).to_contain_text("confirmed")
    page.goto(reverse("admin:sessions_app_lesson_calendar"))
    page.get_by_role("link", name="Month").click()
    assert_accessible(page)
    page.goto(reverse("admin:sessions_app_lesson_changelist"))
    expect(page.get_by_role("row", name="Passing under pressure")).to_contain_text("2 / 2")


def test_a_contest_is_read_from_its_charts_to_its_document(browse, amal, assert_accessible):
    sam = User.objects.create_user("sam", first_name="Sam")
    results = [contest(sam, correct) for correct in (8, 12, 15)]
    page = browse(amal, path=page_of(results[-1].session, "contestsession"))
    assert_accessible(page)
    expect(page.get_by_role("figure", name="Accuracy by topic")).to_be_visible()
    page.get_by_role("link", name="Later").click()
    expect(page.get_by_text("AMC10A_2022_26")).to_be_visible()
    page.get_by_role("link", name="Document", exact=True).click()
    expect(page.get_by_role("rowheader", name="total_time_minutes")).to_be_visible()
    assert_accessible(page)
    page.go_back()
    page.get_by_role("link", name="Progress of this person").click()
    expect(page.get_by_role("heading", name="Progress: Sam")).to_be_visible()
    assert_accessible(page)
    page.goto(reverse("admin:sessions_app_contestsession_cohort"))
    assert_accessible(page)


@pytest.mark.slow
def test_pages_of_sessions_look_right_in_every_way(
    amal, looks: Callable[..., Any], assert_accessible
):
    made, agent, shared = lesson(), orphan(), collaboration()
    sam = User.objects.create_user("sam", first_name="Sam")
    result = [contest(sam, correct) for correct in (8, 12, 15)][-1]
    calendar = reverse("admin:sessions_app_lesson_calendar")
    pages = {
        "collaboration": page_of(shared, "collaborationsession"),
        "agent": page_of(agent, "agentsession"),
        "lessons": reverse("admin:sessions_app_lesson_changelist"),
        "lesson": page_of(made),
        "week": calendar,
        "month": f"{calendar}?view=month",
        "contest": page_of(result.session, "contestsession"),
        "progress": reverse("admin:sessions_app_contestsession_progress", args=[sam.pk]),
        "confirm": reverse("admin:sessions_app_lesson_operation", args=[made.pk, "call-off"]),
    }
    for name, path in pages.items():
        assert len(looks(amal, path, name=name, check=assert_accessible)) == 5
