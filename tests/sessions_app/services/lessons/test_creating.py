"""Making a lesson: who may, what it must be, and in how many statements."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sessions_app.lesson_errors import Forbidden, InvalidFields, NotFound, NotQualified
from sessions_app.models import (
    Delivery,
    InstructorQualification,
    Lesson,
    Role,
    Session,
    SessionKind,
    SessionStatus,
)
from sessions_app.services.lessons import LessonValues, create_lesson
from tests.sessions_app import academy
from tests.sessions_app.academy import NOW, at_now
from tests.sessions_app.lesson_factories import CohortFactory

pytestmark = pytest.mark.django_db

LINK = "https://meet.example.com/a?b=c"


@pytest.fixture
def master():
    return academy.instructor()


@pytest.fixture
def semester(master):
    return academy.semester(
        master_instructor=master, start_date=date(2026, 3, 1), end_date=date(2026, 3, 31)
    )


def values(semester, /, **changed: Any) -> LessonValues:
    given: dict[str, Any] = {
        "title": " Passing ",
        "semester": semester.pk,
        "starts_at": datetime(2026, 3, 10, 9, tzinfo=UTC),
        "ends_at": datetime(2026, 3, 10, 10, tzinfo=UTC),
    } | changed
    return cast("LessonValues", given)


def faults(semester, acting_user, /, **changed: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidFields) as refused:
        create_lesson(values(semester, **changed), acting_user=acting_user)
    assert not Session.objects.exists()
    assert refused.value.http_status == 422
    assert [entry["field"] for entry in refused.value.fields["fields"]] == [
        fault.field for fault in refused.value.faults
    ]
    return [(fault.field, fault.code) for fault in refused.value.faults]


def test_a_new_lesson_has_the_defaults_and_the_master_as_its_instructor(semester, master):
    made = create_lesson(values(semester), acting_user=master, clock=at_now)
    lesson = Lesson.objects.with_relations().get()
    assert (made.pk, made.session.session_id) == (lesson.pk, lesson.session.session_id)
    session = lesson.session
    assert (session.kind, session.status) == (SessionKind.LESSON, SessionStatus.SCHEDULED)
    assert (session.title, session.description, session.metadata) == ("Passing", "", {})
    assert (session.created_at, session.updated_at) == (NOW, NOW)
    assert session.session_id.startswith("lesson-")
    assert (lesson.semester, lesson.cohort, lesson.instructor) == (semester, None, master)
    assert (lesson.delivery, lesson.capacity, lesson.credit_cost) == ("on_site", 20, 1)
    assert (lesson.target_specialization, lesson.open_to_all) == ("", False)
    assert lesson.starts_at == datetime(2026, 3, 10, 9, tzinfo=UTC)


def test_every_value_is_kept(semester):
    cohort, teacher = CohortFactory.create(semester=semester), academy.instructor()
    given = values(
        semester,
        description="Two touches",
        cohort=cohort.pk,
        instructor=teacher.pk,
        delivery="virtual",
        capacity=5,
        credit_cost=0,
        location="Room %s",
        meeting_link=LINK,
        target_specialization="goalkeeper",
        open_to_all=True,
        sport_type="football",
        level="U12",
    )
    create_lesson(given, acting_user=academy.admin())
    lesson = Lesson.objects.with_relations().get()
    kept = {name: getattr(lesson, name) for name in given if hasattr(lesson, name)}
    assert kept == {
        name: value
        for name, value in (
            {**given, "semester": semester, "cohort": cohort, "instructor": teacher}
        ).items()
        if name in kept
    }
    assert lesson.session.description == "Two touches"


def test_both_rows_have_a_history_row_by_the_acting_person(semester, master):
    lesson = create_lesson(values(semester), acting_user=master)
    for obj in (lesson, lesson.session):
        (row,) = obj.history.all()
        assert (row.history_type, row.history_user, row.history_change_reason) == (
            "+",
            master,
            "created",
        )
        assert row.instance == obj
        assert all(
            getattr(row, field.attname) == getattr(type(obj).objects.get(), field.attname)
            for field in obj._meta.concrete_fields
        )


@pytest.mark.parametrize("who", ["master", "admin"])
def test_a_lesson_is_made_in_three_statements_with_the_semester_read_once(semester, master, who):
    cohort = CohortFactory.create(semester=semester)
    given = values(semester, cohort=cohort.pk, instructor=master.pk)
    acting_user = master if who == "master" else academy.admin()
    with CaptureQueriesContext(connection) as captured:
        create_lesson(given, acting_user=acting_user)
    assert len(captured) == 3
    of_semester = [q for q in captured.captured_queries if "sessions_app_semester" in q["sql"]]
    assert len(of_semester) == 1


@pytest.mark.parametrize("role", [Role.INSTRUCTOR, Role.STUDENT])
def test_others_than_the_master_are_refused_even_with_unusable_values(semester, role):
    other = academy.person(role)
    semester.assistants.add(other)
    with pytest.raises(Forbidden) as refused:
        create_lesson(values(semester, ends_at=datetime(2026, 1, 1, tzinfo=UTC)), acting_user=other)
    assert (refused.value.http_status, refused.value.code) == (403, "permission_denied")


def test_a_student_who_is_named_as_master_is_refused():
    learner = academy.student()
    with pytest.raises(Forbidden):
        create_lesson(values(academy.semester(master_instructor=learner)), acting_user=learner)


def test_an_unknown_semester_is_not_found(semester, master):
    with pytest.raises(NotFound):
        create_lesson(values(semester, semester=semester.pk + 1), acting_user=master)


def test_a_target_needs_an_active_qualification_of_the_master(semester, master):
    given = values(semester, target_specialization="goalkeeper")
    held = InstructorQualification.objects.create(
        instructor=master, specialization="goalkeeper", is_active=False
    )
    InstructorQualification.objects.create(instructor=master, specialization="striker")
    with pytest.raises(NotQualified) as refused:
        create_lesson(given, acting_user=master)
    assert refused.value.http_status == 403
    held.is_active = True
    held.save()
    assert create_lesson(given, acting_user=master).target_specialization == "goalkeeper"


def test_an_admin_needs_no_qualification(semester):
    given = values(semester, target_specialization="goalkeeper")
    assert create_lesson(given, acting_user=academy.admin()).target_specialization == "goalkeeper"


@pytest.mark.parametrize("name", ["title", "semester", "starts_at", "ends_at"])
def test_what_has_no_default_is_asked_for(semester, master, name):
    given = values(semester)
    del given[name]  # type: ignore[misc]  # the name is a parameter of the test
    with pytest.raises(InvalidFields) as refused:
        create_lesson(given, acting_user=master)
    assert [(fault.field, fault.code) for fault in refused.value.faults] == [(name, "required")]


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("title", " \t ", "blank"),
        ("title", None, "null"),
        ("title", 3, "invalid"),
        ("title", "x" * 256, "max_length"),
        ("title", "a\0", "null_characters"),
        ("title", "a\ud800", "broken_characters"),
        ("semester", None, "null"),
        ("semester", "1", "invalid"),
        ("semester", 2**63, "out_of_range"),
        ("starts_at", None, "null"),
        ("starts_at", "2026-03-10", "invalid"),
        ("starts_at", datetime(2026, 3, 10), "naive"),  # noqa: DTZ001
        ("ends_at", datetime.max.replace(tzinfo=UTC), "out_of_range"),
        ("delivery", "online", "invalid_choice"),
        ("delivery", None, "null"),
        ("capacity", 0, "out_of_range"),
        ("capacity", 2**31, "out_of_range"),
        ("capacity", None, "null"),
        ("capacity", True, "invalid"),
        ("credit_cost", -1, "out_of_range"),
        ("credit_cost", None, "null"),
        ("open_to_all", None, "null"),
        ("open_to_all", "yes", "invalid"),
        ("location", "a\0", "null_characters"),
        ("level", "x" * 256, "max_length"),
        ("price", 3, "unknown"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_its_field(semester, master, name, value, code):
    assert faults(semester, master, **{name: value}) == [(name, code)]


def test_every_fault_is_listed(semester, master):
    found = faults(semester, master, title="", capacity=0, delivery="x")
    assert found == [
        ("title", "blank"),
        ("capacity", "out_of_range"),
        ("delivery", "invalid_choice"),
    ]


def riyadh(day: int, hour: int, minute: int = 0, month: int = 3) -> datetime:
    """An instant of the installation's time zone, three hours ahead of UTC."""
    return datetime(2026, month, day, hour, minute, tzinfo=UTC) - timedelta(hours=3)


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "outside"),
    [
        (riyadh(1, 0), riyadh(1, 1), []),
        (riyadh(31, 22), riyadh(31, 23, 59), []),
        (riyadh(28, 23, 59, month=2), riyadh(1, 1), ["starts_at"]),
        (riyadh(31, 23), riyadh(1, 0, month=4), ["ends_at"]),
        (riyadh(1, 9, month=4), riyadh(1, 10, month=4), ["starts_at", "ends_at"]),
    ],
)
def test_a_lesson_lies_within_its_semester_both_days_inclusive(
    semester, master, starts_at, ends_at, outside
):
    if outside:
        found = faults(semester, master, starts_at=starts_at, ends_at=ends_at)
        assert found == [(name, "outside_semester") for name in outside]
    else:
        made = create_lesson(
            values(semester, starts_at=starts_at, ends_at=ends_at), acting_user=master
        )
        assert (made.starts_at, made.ends_at) == (starts_at, ends_at)


def test_a_semester_without_days_sets_no_limit(master):
    semester = academy.semester(master_instructor=master, start_date=None, end_date=None)
    assert create_lesson(values(semester), acting_user=master).pk


@pytest.mark.parametrize("minutes", [0, -1])
def test_a_lesson_ends_after_its_start(semester, master, minutes):
    start = datetime(2026, 3, 10, 9, tzinfo=UTC)
    found = faults(semester, master, starts_at=start, ends_at=start + timedelta(minutes=minutes))
    assert found == [("ends_at", "not_after_start")]


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://example.com/a",
        "https://",
        "https:///path",
        "http://:80/",
        "https://user@/",
        "https://exa mple.com",
        "https://example.com/a b",
        "//example.com",
        "example.com",
        "not a link",
        "https://example.com\nSet-Cookie: a",
        "https://" + "a" * 2000 + ".example.com",
    ],
)
def test_a_link_that_is_no_web_address_is_refused(semester, master, link):
    ((name, _),) = faults(semester, master, delivery="virtual", meeting_link=link)
    assert name == "meeting_link"


@pytest.mark.parametrize("link", [LINK, "http://example.com", "HTTPS://example.com:8443/a#b"])
def test_a_virtual_lesson_may_have_a_web_address(semester, master, link):
    made = create_lesson(
        values(semester, delivery="virtual", meeting_link=link), acting_user=master
    )
    assert made.meeting_link == link


@pytest.mark.parametrize("delivery", Delivery)
@pytest.mark.parametrize("link", ["", "  ", None])
def test_no_link_is_null_whatever_the_delivery(semester, master, delivery, link):
    made = create_lesson(values(semester, delivery=delivery, meeting_link=link), acting_user=master)
    made.refresh_from_db()
    assert made.meeting_link is None


@pytest.mark.parametrize("delivery", [Delivery.ON_SITE, Delivery.HYBRID])
def test_only_virtual_lessons_have_a_link(semester, master, delivery):
    found = faults(semester, master, delivery=delivery, meeting_link=LINK)
    assert found == [("meeting_link", "link_not_virtual")]


@pytest.mark.parametrize(
    ("delivery", "location", "place"),
    [
        ("on_site", "", "Arena"),
        ("on_site", None, "Arena"),
        ("on_site", "  ", "Arena"),
        ("hybrid", "", "Arena"),
        ("hybrid", "Pitch 2", "Pitch 2"),
        ("virtual", "", ""),
    ],
)
def test_a_missing_place_is_that_of_the_semester_unless_virtual(
    semester, master, delivery, location, place
):
    semester.venue, semester.city = "Arena", "Riyadh"
    semester.save()
    made = create_lesson(values(semester, delivery=delivery, location=location), acting_user=master)
    assert made.location == place


def test_without_a_venue_the_place_is_the_address(semester, master):
    semester.address, semester.city = "Main street 1", "Riyadh"
    semester.save()
    assert create_lesson(values(semester), acting_user=master).location == "Main street 1, Riyadh"


def test_the_cohort_is_one_of_the_semester(semester, master):
    other = CohortFactory.create()
    assert faults(semester, master, cohort=other.pk) == [("cohort", "not_of_semester")]
    assert faults(semester, master, cohort=2**40) == [("cohort", "not_of_semester")]


def test_a_lesson_is_given_by_an_instructor_or_nobody(semester, master):
    for somebody in (academy.student().pk, 2**40):
        assert faults(semester, master, instructor=somebody) == [("instructor", "no_instructor")]
    assert create_lesson(values(semester, instructor=None), acting_user=master).instructor is None
