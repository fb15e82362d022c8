"""``GET /api/v1/lessons/``: the contract of its answers."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from sessions_app.models import Delivery, Role
from tests.sessions_app import academy
from tests.sessions_app.lesson_factories import CohortFactory, FeedbackFactory

pytestmark = pytest.mark.django_db

LESSONS = "/api/v1/lessons/"


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def admin() -> Client:
    return signed_in(academy.admin())


def upcoming(title: str = "Passing", days: int = 1, **values: Any):
    return academy.lesson(title, starts_at=timezone.now() + timedelta(days=days), **values)


def test_strangers_are_answered_401(client):
    answer = client.get(LESSONS)
    assert answer.status_code == 401
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "request_id"}
    assert error["code"] == "not_authenticated"
    assert answer["WWW-Authenticate"]


def test_an_empty_list_is_a_page_without_neighbours(admin):
    answer = admin.get(LESSONS)
    assert answer.status_code == 200
    assert answer.json() == {"count": 0, "next": None, "previous": None, "results": []}


def test_an_item_speaks_the_words_of_the_contract(admin):
    semester = academy.semester(code="S1", name="Spring")
    cohort = CohortFactory.create(semester=semester, name="Blue")
    teacher = academy.instructor(first_name="Nora", last_name="Haddad")
    lesson = upcoming(
        semester=semester,
        cohort=cohort,
        instructor=teacher,
        delivery=Delivery.VIRTUAL,
        meeting_link="https://meet.example.com/a",
        sport_type="football",
        level="U12",
    )
    FeedbackFactory.create(lesson=lesson)
    (item,) = admin.get(LESSONS).json()["results"]
    for name in ("starts_at", "ends_at"):
        instant = parse_datetime(item.pop(name))
        assert instant == getattr(lesson, name)
        assert instant.utcoffset() is not None
    for name in ("created_at", "updated_at"):
        assert parse_datetime(item.pop(name)) == getattr(lesson.session, name)
    assert item == {
        "id": lesson.pk,
        "session_id": lesson.session.session_id,
        "title": "Passing",
        "description": "",
        "status": "scheduled",
        "delivery": "virtual",
        "capacity": 20,
        "credit_cost": 1,
        "location": "",
        "meeting_link": "https://meet.example.com/a",
        "target_specialization": "",
        "open_to_all": False,
        "sport_type": "football",
        "level": "U12",
        "semester": {"id": semester.pk, "code": "S1", "name": "Spring"},
        "cohort": {"id": cohort.pk, "name": "Blue"},
        "instructor": {"id": teacher.pk, "name": "Nora Haddad"},
        "booking_count": 0,
        "confirmed_bookings": 0,
        "waitlist_count": 0,
        "attendance_count": 0,
        "average_rating": 4.5,
        "own_booking": None,
    }


def test_pages_lead_to_each_other_and_keep_the_filters(admin):
    for number in range(5):
        upcoming(str(number), days=number + 1)
    address, seen = f"{LESSONS}?page_size=2&delivery=on_site", []
    while address:
        answer = admin.get(address).json()
        seen += [item["title"] for item in answer["results"]]
        assert answer["count"] == 5
        address = answer["next"]
        if address:
            asked = parse_qs(urlsplit(address).query)
            assert (asked["page_size"], asked["delivery"]) == (["2"], ["on_site"])
    assert seen == ["0", "1", "2", "3", "4"]
    assert "page=2" in answer["previous"]
    first = admin.get(f"{LESSONS}?page=2&page_size=2").json()["previous"]
    assert "page=" not in first.replace("page_size=", "")


def test_a_page_behind_the_last_is_empty_and_leads_back(admin):
    upcoming()
    answer = admin.get(f"{LESSONS}?page=7").json()
    assert (answer["count"], answer["next"], answer["results"]) == (1, None, [])
    assert "page" not in parse_qs(urlsplit(answer["previous"]).query)


def test_a_page_has_fifty_lessons_unless_asked_otherwise(admin):
    for number in range(51):
        upcoming(str(number))
    assert len(admin.get(LESSONS).json()["results"]) == 50
    assert len(admin.get(f"{LESSONS}?page_size=100").json()["results"]) == 51


def test_filters_are_read_from_the_address(admin):
    semester = academy.semester()
    upcoming("wanted", semester=semester)
    upcoming("other")
    asked = {"semester": semester.pk, "search": " WANTED ", "status": "", "cohort": ""}
    (item,) = admin.get(LESSONS, asked).json()["results"]
    assert item["title"] == "wanted"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("page", "0"),
        ("page", "one"),
        ("page_size", "0"),
        ("page_size", "101"),
        ("page_size", "9" * 2000),
        ("semester", "x"),
        ("cohort", str(2**63)),
        ("instructor", "-1"),
        ("delivery", "online"),
        ("status", "paused"),
        ("date_from", "2026-02-30"),
        ("date_to", "yesterday"),
        ("search", "a\0b"),
        ("search", "x" * 201),
        ("specialization", "\0"),
        ("mine", "perhaps"),
    ],
)
def test_values_that_cannot_be_used_are_422_and_name_the_field(admin, name, value):
    answer = admin.get(LESSONS, {name: value})
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["code"] == "validation_failed"
    assert [fault["field"] for fault in error["details"]["fields"]] == [name]


def test_every_wrong_field_is_listed(admin):
    error = admin.get(LESSONS, {"delivery": "x", "semester": "y"}).json()["error"]
    assert {fault["field"] for fault in error["details"]["fields"]} == {"delivery", "semester"}


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_the_list_itself_is_not_changed(admin, method):
    answer = getattr(admin, method)(LESSONS)
    assert answer.status_code == 405
    assert answer.json()["error"]["code"] == "method_not_allowed"


@pytest.mark.parametrize(
    "path", ["/api/", "/api/v1/nothing/", "/api/v1/lessons/1/x/", "/api/a%0Ab/"]
)
def test_addresses_of_nothing_are_404_in_the_same_envelope(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"


def test_an_address_without_its_last_slash_leads_to_the_one_with_it(admin):
    upcoming()
    assert admin.get(LESSONS.rstrip("/"), follow=True).json()["count"] == 1


def test_students_do_not_see_what_is_hidden_nor_links_of_others():
    upcoming("hidden", target_specialization="goalkeeper")
    upcoming("seen", delivery=Delivery.VIRTUAL, meeting_link="https://meet.example.com/a")
    answer = signed_in(academy.student()).get(LESSONS)
    assert [item["title"] for item in answer.json()["results"]] == ["seen"]
    assert "meet.example.com" not in answer.content.decode()


@pytest.mark.parametrize("role", Role)
def test_a_request_takes_at_most_five_statements_besides_authentication(role):
    user = academy.person(role)
    client = signed_in(user)
    for _ in range(12):
        semester = academy.semester(master_instructor=user)
        upcoming(semester=semester, cohort=CohortFactory.create(semester=semester))
    with CaptureQueriesContext(connection) as captured:
        assert len(client.get(LESSONS).json()["results"]) == 12
    authentication = [
        query
        for query in captured.captured_queries
        if "django_session" in query["sql"] or 'FROM "auth_user"' in query["sql"]
    ]
    assert len(authentication) == 2
    assert len(captured) - len(authentication) == 4
