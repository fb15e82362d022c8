"""Admin pages of the academy: constant in queries; lessons change by the services only."""

from datetime import date
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from sessions_app.models import (
    Attendance,
    Booking,
    Cohort,
    CreditReason,
    CreditTransaction,
    Feedback,
    InstructorQualification,
    Lesson,
    LessonProject,
    PerformanceReview,
    Semester,
)
from tests.sessions_app import academy
from tests.sessions_app.factories import ProjectFactory
from tests.sessions_app.lesson_factories import AttendanceFactory, CohortFactory, FeedbackFactory

pytestmark = pytest.mark.django_db

READ_ONLY = [Attendance, Booking, CreditTransaction, Feedback, PerformanceReview]
MODELS = [*READ_ONLY, Cohort, InstructorQualification, Lesson, Semester]


def make_one_of_each() -> Lesson:
    teacher, student = academy.instructor(), academy.student()
    semester = academy.semester(master_instructor=teacher)
    cohort = CohortFactory.create(semester=semester)
    lesson = academy.lesson(semester=semester, cohort=cohort, instructor=teacher)
    booking = academy.confirmed(lesson, student)
    AttendanceFactory.create(booking=booking, marked_by=teacher)
    FeedbackFactory.create(lesson=lesson, student=student)
    InstructorQualification.objects.create(instructor=teacher, specialization="goalkeeper")
    PerformanceReview.objects.create(lesson=lesson, student=student, reviewer=teacher)
    LessonProject.objects.create(lesson=lesson, project=ProjectFactory.create())
    CreditTransaction.objects.create(
        user=student, booking=booking, reason=CreditReason.BOOKING, amount=-1, balance_after=9
    )
    return lesson


def page(view: str, model: Any, *arguments: object) -> str:
    return reverse(f"admin:sessions_app_{model._meta.model_name}_{view}", args=arguments)


@pytest.mark.parametrize("model", MODELS)
def test_a_list_takes_the_same_number_of_queries_whatever_its_length(admin_client, model):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert admin_client.get(page("changelist", model)).status_code == 200
        return len(captured)

    make_one_of_each()
    queries()  # fills caches of content types
    few = queries()
    for _ in range(8):
        make_one_of_each()
    assert queries() == few


@pytest.mark.parametrize("model", MODELS)
def test_every_model_can_be_looked_at_and_searched(admin_client, model):
    make_one_of_each()
    obj = model.objects.first()
    assert admin_client.get(page("change", model, obj.pk)).status_code == 200
    assert admin.site._registry[model].search_fields
    assert admin_client.get(page("changelist", model), {"q": "a"}).status_code == 200


@pytest.mark.parametrize("model", READ_ONLY)
def test_what_people_did_is_read_only(admin_client, model):
    make_one_of_each()
    obj = model.objects.first()
    for address in (page("add", model), page("delete", model, obj.pk)):
        assert admin_client.get(address).status_code == 403
    assert admin_client.post(page("change", model, obj.pk), {}).status_code == 403


def form(lesson: Lesson | None = None, **changed: Any) -> dict[str, Any]:
    """What a browser would send."""
    semester = lesson.semester if lesson else academy.semester(venue="Arena")
    return {
        "title": "Pressing",
        "description": "",
        "semester": semester.pk,
        "cohort": "",
        "instructor": "",
        "starts_at_0": "2026-03-10",
        "starts_at_1": "09:00",
        "ends_at_0": "2026-03-10",
        "ends_at_1": "10:00",
        "delivery": "on_site",
        "location": "",
        "meeting_link": "",
        "capacity": "20",
        "credit_cost": "1",
        "target_specialization": "",
        "sport_type": "",
        "level": "",
        "lesson_projects-TOTAL_FORMS": "0",
        "lesson_projects-INITIAL_FORMS": "0",
    } | changed


def errors(answer: Any) -> dict[str, list[str]]:
    assert answer.status_code == 200
    found: dict[str, list[str]] = answer.context["adminform"].form.errors
    return found


def test_a_lesson_is_made_by_the_service(admin_client, admin_user):
    answer = admin_client.post(page("add", Lesson), form())
    assert answer.status_code == 302, errors(answer)
    lesson = Lesson.objects.with_relations().get()
    assert (lesson.session.title, lesson.location) == ("Pressing", "Arena")
    assert lesson.history.get().history_user == admin_user


def test_a_lesson_is_changed_by_the_service_and_more_seats_promote(admin_client):
    lesson = academy.lesson(capacity=1)
    academy.confirmed(lesson, academy.student())
    waiter = academy.waiting(lesson, academy.student(), 1)
    lesson.semester.end_date = date(2100, 1, 1)
    lesson.semester.save()
    sent = form(lesson, capacity="2", starts_at_0="2099-03-10", ends_at_0="2099-03-10")
    answer = admin_client.post(page("change", Lesson, lesson.pk), sent)
    assert answer.status_code == 302, errors(answer)
    lesson.refresh_from_db()
    waiter.refresh_from_db()
    assert (lesson.session.title, lesson.capacity) == ("Pressing", 2)
    assert waiter.status == "confirmed"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"title": " "}, "title"),
        ({"ends_at_1": "08:00"}, "ends_at"),
        ({"starts_at_0": "2025-03-10"}, "starts_at"),
        ({"meeting_link": "https://meet.example.com"}, "meeting_link"),
        ({"delivery": "virtual", "meeting_link": "javascript:x"}, "meeting_link"),
        ({"capacity": "0"}, "capacity"),
        ({"starts_at_0": "soon"}, "starts_at"),
    ],
)
def test_what_the_service_refuses_stands_at_its_field_and_nothing_is_kept(
    admin_client, changed, field
):
    found = errors(admin_client.post(page("add", Lesson), form(**changed)))
    assert list(found) == [field]
    assert not Lesson.objects.exists()


def test_too_few_seats_are_told_in_words_and_nothing_is_kept(admin_client):
    lesson = academy.lesson(capacity=3)
    for _ in range(2):
        academy.confirmed(lesson, academy.student())
    found = errors(admin_client.post(page("change", Lesson, lesson.pk), form(lesson, capacity="1")))
    assert found == {"__all__": ["2 bookings are confirmed."]}
    lesson.refresh_from_db()
    assert (lesson.capacity, lesson.session.title) == (3, "Passing")


def test_a_lesson_is_deleted_with_its_session_when_nothing_refers_to_it(admin_client):
    lesson = academy.lesson()
    answer = admin_client.post(page("delete", Lesson, lesson.pk), {"post": "yes"})
    assert answer.status_code == 302
    assert not Lesson.objects.exists()
    assert not type(lesson.session).objects.filter(pk=lesson.session_id).exists()


def test_a_lesson_with_bookings_is_not_deleted(admin_client):
    lesson = academy.lesson()
    academy.confirmed(lesson, academy.student())
    admin_client.post(page("delete", Lesson, lesson.pk), {"post": "yes"})
    assert Lesson.objects.filter(pk=lesson.pk).exists()


def test_a_member_of_staff_without_a_role_changes_no_lesson(client):
    member = academy.student(is_staff=True)
    member.user_permissions.set(Permission.objects.filter(content_type__app_label="sessions_app"))
    client.force_login(member)
    found = errors(client.post(page("add", Lesson), form()))
    assert found == {"__all__": ["Students do not schedule lessons."]}
