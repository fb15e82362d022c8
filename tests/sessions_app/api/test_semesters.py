"""Semesters, cohorts and credits (lessons.md "Models", "Visibility", "Booking")."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from migrations_tools.models import Transition
from sessions_app.models import Cohort, CreditTransaction, Semester, SemesterStatus
from tests.sessions_app import academy
from tests.sessions_app.api.asking import Caller, faults, refusal
from tests.sessions_app.lesson_factories import CohortFactory

pytestmark = pytest.mark.django_db

NEW = {"code": "S1", "name": "Spring", "start_date": "2026-01-01", "end_date": "2026-06-30"}


def test_a_semester_is_made_by_admins_and_told_with_its_people():
    master, helper = academy.instructor(first_name="Nora"), academy.instructor(username="h@x.org")
    admin = Caller(academy.admin())
    answer = admin.post(
        "/semesters/",
        {**NEW, "master_instructor": master.pk, "assistants": [helper.pk], "venue": "Hall"},
    )
    assert answer.status_code == 201
    made = Semester.objects.get()
    path = f"/semesters/{made.pk}/"
    assert answer["Location"] == f"/api/v1{path}"
    assert answer.json() == {
        "id": made.pk,
        **NEW,
        "status": "draft",
        "is_active": True,
        "master_instructor": {"id": master.pk, "name": "Nora"},
        "assistants": [{"id": helper.pk, "name": "h"}],
        "venue": "Hall",
        "city": "",
        "address": "",
        "cohorts": [],
    }
    seen = admin.get(path)
    assert (seen.json(), seen["ETag"]) == (answer.json(), answer["ETag"])
    assert refusal(admin.post("/semesters/", NEW)) == (409, "semester_code_taken")
    changed = admin.patch(path, {"status": "ongoing", "assistants": []}, If_Match=seen["ETag"])
    assert (changed.json()["status"], changed.json()["assistants"]) == ("ongoing", [])
    stale = admin.patch(path, {"name": "Summer"}, If_Match=seen["ETag"])
    assert refusal(stale) == (412, "precondition_failed")
    for values, field in (
        ({"code": " "}, "code"),
        ({"name": ""}, "name"),
        ({"end_date": "2025-12-31"}, "end_date"),
        ({"start_date": None}, "start_date"),
        ({"status": "gone"}, "status"),
        ({"master_instructor": academy.student().pk}, "master_instructor"),
        ({"master_instructor": 10**15}, "master_instructor"),
        ({"assistants": [helper.pk, 10**15]}, "assistants"),
        ({"assistants": "x"}, "assistants"),
    ):
        assert faults(admin.patch(path, values)) == [field]
    assert set(faults(admin.post("/semesters/", {}))) == {
        "code", "name", "start_date", "end_date",
    }  # fmt: skip
    newest = made.history.first()
    assert newest is not None
    assert newest.history_change_reason == "change (api)"


def test_people_see_the_semesters_of_their_lessons():
    teacher, helper, giver = (academy.instructor() for _ in range(3))
    led = academy.semester(master_instructor=teacher, status=SemesterStatus.DRAFT)
    led.assistants.add(helper)
    academy.lesson(semester=led, instructor=giver)
    running = academy.semester(status=SemesterStatus.READY_FOR_ENROLLMENT)
    groups = {semester.pk: CohortFactory.create(semester=semester) for semester in (led, running)}
    everybody = {
        "admin": (academy.admin(), {led.pk, running.pk}),
        "teacher": (teacher, {led.pk}),
        "helper": (helper, {led.pk}),
        "giver": (giver, {led.pk}),
        "student": (academy.student(), {running.pk}),
    }
    for name, (user, expected) in everybody.items():
        caller = Caller(user)
        told = caller.get("/semesters/").json()["results"]
        assert {each["id"] for each in told} == expected, name
        cohorts = caller.get("/cohorts/").json()["results"]
        assert {each["semester"]["id"] for each in cohorts} == expected, name
        for semester, group in groups.items():
            status = 200 if semester in expected else 404
            assert caller.get(f"/semesters/{semester}/").status_code == status
            assert caller.get(f"/cohorts/{group.pk}/").status_code == status
            if status == 404:
                assert caller.patch(f"/semesters/{semester}/", {"name": "x"}).status_code == 404
                assert caller.patch(f"/cohorts/{group.pk}/", {"name": "x"}).status_code == 404
    assert Caller(None).get("/semesters/").status_code == 401
    assert refusal(Caller(teacher).patch(f"/semesters/{led.pk}/", {"name": "x"})) == (
        403, "permission_denied",
    )  # fmt: skip
    assert refusal(Caller(teacher).post("/semesters/", NEW)) == (403, "permission_denied")
    assert Transition.objects.filter(action="refused", actor=teacher).count() == 2


def test_semesters_are_narrowed_and_searched():
    caller = Caller(academy.admin())
    first = academy.semester(name="Spring", start_date=date(2026, 1, 1), end_date=date(2026, 2, 1))
    second = academy.semester(
        name="Autumn", start_date=date(2026, 9, 1), end_date=date(2026, 10, 1), is_active=False
    )

    def found(**query: Any) -> list[int]:
        return [each["id"] for each in caller.get("/semesters/", **query).json()["results"]]

    assert found() == [second.pk, first.pk]
    assert found(ordering="name") == [second.pk, first.pk]
    assert found(search="spr") == found(on="2026-02-01") == found(is_active="true") == [first.pk]
    assert faults(caller.get("/semesters/", on="x")) == ["on"]
    assert faults(caller.get("/cohorts/", semester="x")) == ["semester"]


def test_lists_take_the_same_statements_however_long_they_are():
    teacher = academy.instructor()
    caller = Caller(teacher)
    counts, made = [], 0
    for size in (1, 10, 50):
        for _ in range(made, size):
            semester = academy.semester(master_instructor=teacher)
            semester.assistants.add(teacher)
            CohortFactory.create(semester=semester)
        made = size
        counts.append(
            [caller.statements(path, page_size=100) for path in ("/semesters/", "/cohorts/")]
        )
    assert counts == [[5, 3]] * 3


def test_cohorts_are_made_and_renamed_by_the_master():
    teacher, helper = academy.instructor(), academy.instructor()
    semester = academy.semester(master_instructor=teacher, code="S1", name="Spring")
    semester.assistants.add(helper)
    answer = Caller(teacher).post("/cohorts/", {"semester": semester.pk, "name": " Blue "})
    assert answer.status_code == 201
    cohort = Cohort.objects.get()
    assert answer.json() == {
        "id": cohort.pk,
        "name": "Blue",
        "semester": {"id": semester.pk, "code": "S1", "name": "Spring"},
    }
    path = f"/cohorts/{cohort.pk}/"
    tag = Caller(teacher).get(path)["ETag"]
    assert Caller(teacher).patch(path, {"name": "Red"}, If_Match=tag).json()["name"] == "Red"
    stale = Caller(teacher).patch(path, {"name": "Green"}, If_Match=tag)
    assert refusal(stale) == (412, "precondition_failed")
    assert Caller(helper).patch(path, {"name": "Mine"}).status_code == 403
    assert Caller(helper).post("/cohorts/", {"semester": semester.pk, "name": "x"}).status_code == (
        403
    )
    assert faults(Caller(teacher).patch(path, {"name": ""})) == ["name"]
    unknown = Caller(teacher).post("/cohorts/", {"semester": 10**12, "name": "x"})
    assert refusal(unknown) == (404, "not_found")


def test_credits_are_ones_own_and_given_by_admins():
    ann, bob = academy.student(credit_balance=3), academy.student()
    lesson = academy.lesson(starts_at=timezone.now() + timedelta(days=2), credit_cost=2)
    booking = Caller(ann).post(f"/lessons/{lesson.session.session_id}/book/").json()
    assert Caller(ann).get("/credits/").json() == {"student": ann.pk, "credit_balance": 1}
    (told,) = Caller(ann).get("/credits/transactions/").json()["results"]
    assert told.pop("created_at")
    assert told == {
        "id": CreditTransaction.objects.get().pk,
        "student": ann.pk,
        "booking": booking["id"],
        "reason": "booking",
        "amount": -2,
        "balance_after": 1,
        "note": "",
    }
    admin = Caller(academy.admin())
    gift = {"student": ann.pk, "amount": 5, "note": "Welcome"}
    given = admin.post("/credits/transactions/", gift)
    assert (given.status_code, given.json()["balance_after"]) == (201, 6)
    assert admin.get("/credits/", student=ann.pk).json()["credit_balance"] == 6
    assert admin.get("/credits/transactions/", student=ann.pk).json()["count"] == 2
    too_many = admin.post("/credits/transactions/", {**gift, "amount": -9})
    assert refusal(too_many) == (409, "insufficient_credits")
    assert refusal(Caller(ann).post("/credits/transactions/", gift)) == (403, "permission_denied")
    for answer in (
        Caller(bob).post("/credits/transactions/", gift),
        Caller(bob).get("/credits/", student=ann.pk),
        Caller(bob).get("/credits/transactions/", student=ann.pk),
        admin.get("/credits/", student=10**12),
    ):
        assert refusal(answer) == (404, "not_found")
    for values, field in (({"amount": 0}, "amount"), ({"amount": 10**7}, "amount"), (
        {"note": " "}, "note",
    )):  # fmt: skip
        assert faults(admin.post("/credits/transactions/", gift | values)) == [field]


def test_semesters_and_cohorts_that_nothing_belongs_to_are_deleted():
    admin, master = Caller(academy.admin()), academy.instructor()
    semester = academy.semester(master_instructor=master)
    cohort = CohortFactory.create(semester=semester)
    lesson = academy.lesson(semester=semester, cohort=cohort)
    path, group = f"/semesters/{semester.pk}/", f"/cohorts/{cohort.pk}/"
    told = admin.delete(path)
    assert refusal(told) == (409, "semester_in_use")
    assert told.json()["error"]["details"] == {"blocking": {"cohorts": 1, "lessons": 1}}
    assert refusal(admin.delete(group)) == (409, "semester_in_use")
    lesson.delete()
    stale = admin.get(group)["ETag"]
    admin.patch(group, {"name": "Blue"})
    assert refusal(admin.delete(group, If_Match=stale)) == (412, "precondition_failed")
    assert refusal(Caller(academy.student()).delete(group)) == (403, "permission_denied")
    assert Caller(master).delete(group, If_Match=admin.get(group)["ETag"]).status_code == 204
    assert refusal(Caller(master).delete(path)) == (403, "permission_denied")
    assert refusal(admin.delete(path, If_Match='"x"')) == (412, "precondition_failed")
    assert admin.delete(path, If_Match=admin.get(path)["ETag"]).status_code == 204
    assert refusal(admin.delete(path)) == (404, "not_found")
    assert not Semester.objects.exists()
    newest = Semester.history.filter(id=semester.pk).first()
    assert newest is not None
    assert (newest.history_type, newest.history_change_reason) == ("-", "delete (api)")
