"""Forms around sessions: services write, refuse in words, and tell who was slower what changed."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from migrations_tools.models import Transition
from sessions_app.models import (
    ActivityEvent,
    AgentSession,
    Cohort,
    InstructorQualification,
    Problem,
    Profile,
    Project,
    Semester,
)
from tests.sessions_app import academy
from tests.sessions_app.factories import ProjectFactory, SessionFactory

pytestmark = pytest.mark.django_db

SEMESTER = {
    "code": "S1", "name": "Spring", "start_date": "2026-01-01", "end_date": "2026-06-30",
    "status": "draft", "is_active": "on", "venue": "", "city": "Jeddah", "address": "",
}  # fmt: skip


def page(model: Any, view: str, *arguments: object) -> str:
    return reverse(f"admin:sessions_app_{model._meta.model_name}_{view}", args=arguments)


def faults(answer: Any) -> str:
    form = answer.context["adminform"].form
    return " ".join(str(text) for texts in form.errors.values() for text in texts)


def member_of_staff(name: str, *rights: str) -> Client:
    user = User.objects.filter(username=name).first() or User.objects.create_user(name)
    User.objects.filter(pk=user.pk).update(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client = Client()
    client.force_login(user)
    return client


def test_a_semester_is_made_and_changed_by_its_service(admin_client):
    teacher, helper = academy.instructor(username="tarek"), academy.instructor(username="huda")
    people = {"master_instructor": teacher.pk, "assistants": [helper.pk]}
    assert admin_client.post(page(Semester, "add"), SEMESTER | people).status_code == 302
    semester = Semester.objects.get()
    assert (semester.master_instructor, list(semester.assistants.all())) == (teacher, [helper])
    assert semester.history.latest().history_change_reason == "create (admin)"
    address = page(Semester, "change", semester.pk)
    student = academy.student()
    for sent, words in (
        ({"end_date": "2025-01-01"}, "A semester ends after its start."),
        ({"master_instructor": student.pk}, "Select a valid choice"),
        ({"code": " "}, "This field is required."),
    ):
        assert words in faults(admin_client.post(address, SEMESTER | people | sent))
    assert "already" in faults(admin_client.post(page(Semester, "add"), SEMESTER))
    # without its helper: the names of people are compared as well
    seen = admin_client.get(address).context["adminform"].form.seen
    admin_client.post(address, SEMESTER | {"master_instructor": teacher.pk, "_seen": seen})
    assert list(semester.assistants.all()) == []
    late = SEMESTER | {"assistants": [teacher.pk], "_seen": seen}
    assert "“Assistants” is “–” now" in faults(admin_client.post(address, late))


def test_a_semester_with_lessons_is_not_deleted_and_an_empty_one_is(admin_client):
    lesson = academy.lesson("Passing")
    empty = academy.semester(code="S9")
    for semester, there in ((lesson.semester, True), (empty, False)):
        admin_client.post(page(Semester, "delete", semester.pk), {"post": "yes"})
        assert Semester.objects.filter(pk=semester.pk).exists() is there
    removed = Semester.history.filter(id=empty.pk).latest()
    assert (removed.history_type, removed.history_user.username) == ("-", "admin")


def test_only_admins_of_the_academy_and_masters_change_it():
    master = academy.instructor(username="master")
    semester = academy.semester(master_instructor=master)
    cohort = Cohort.objects.create(semester=semester, name="A")
    rights = [f"{verb}_{name}" for verb in ("view", "add", "change", "delete")
              for name in ("semester", "cohort")]  # fmt: skip
    operator, leading = member_of_staff("operator", *rights), member_of_staff("master", *rights)
    for client, statuses in ((operator, (403, 403, 403)), (leading, (403, 403, 302))):
        answers = (
            client.get(page(Semester, "add")).status_code,
            client.post(page(Semester, "change", semester.pk), SEMESTER).status_code,
            client.post(page(Cohort, "change", cohort.pk), {"name": "B"}).status_code,
        )
        assert answers == statuses
    cohort.refresh_from_db()
    assert (cohort.name, cohort.history.latest().history_change_reason) == ("B", "change (admin)")
    refused = operator.post(page(Cohort, "add"), {"semester": semester.pk, "name": "C"})
    assert refused.status_code == 200
    assert Cohort.objects.count() == 1
    assert Transition.objects.filter(action="refused", details__deed="add a cohort").count() == 1
    made = leading.post(page(Cohort, "add"), {"semester": semester.pk, "name": "C"})
    assert made.status_code == 302
    assert leading.post(page(Cohort, "delete", cohort.pk), {"post": "yes"}).status_code == 302
    assert Cohort.objects.get().name == "C"


def test_a_profile_is_of_the_person_who_is_named(admin_client):
    project = ProjectFactory.create(name="Crane")
    User.objects.create_user("1001", "dina@example.com")
    for sent, words in (
        ({"user": "nobody"}, "There is no such person."),
        ({"user": "1001", "current_project": "Cran"}, "No project has that name."),
    ):
        answer = admin_client.post(page(Profile, "add"), {"role": "student"} | sent)
        assert words in faults(answer)
    sent = {"user": "DINA@example.com", "role": "instructor", "current_project": "crane"}
    assert admin_client.post(page(Profile, "add"), sent).status_code == 302
    profile = Profile.objects.get()
    assert (profile.user.username, profile.role) == ("1001", "instructor")
    assert (profile.current_project, profile.credit_balance) == (project, 0)
    again = admin_client.post(page(Profile, "add"), sent)
    assert "already exists" in faults(again)
    assert profile.history.latest().history_change_reason == "add (admin)"


def test_nobody_makes_themselves_an_admin_of_the_academy():
    operator = member_of_staff("operator", "view_profile", "change_profile")
    profile = Profile.objects.create(user=User.objects.get(username="operator"))
    address = page(Profile, "change", profile.pk)
    refused = operator.post(address, {"role": "admin", "specialization": ""})
    assert "Only admins of the academy" in faults(refused)
    assert Transition.objects.get(action="refused").details["code"] == "permission_denied"
    assert operator.post(address, {"role": "student", "specialization": "sea"}).status_code == 302
    profile.refresh_from_db()
    assert (profile.role, profile.specialization) == ("student", "sea")


def test_qualifications_and_problems_are_kept_by_their_rules(admin_client):
    teacher = academy.instructor()
    sent = {"instructor": teacher.pk, "specialization": "Sea", "is_active": "on"}
    assert admin_client.post(page(InstructorQualification, "add"), sent).status_code == 302
    twice = admin_client.post(page(InstructorQualification, "add"), sent)
    assert "already exists" in faults(twice)
    held = InstructorQualification.objects.get()
    admin_client.post(page(InstructorQualification, "delete", held.pk), {"post": "yes"})
    assert not InstructorQualification.objects.exists()
    problem = {"contest_id": "AMC10A_2022", "number": "3", "topics": '["Algebra"]'}
    assert admin_client.post(page(Problem, "add"), problem).status_code == 302
    made = Problem.objects.get()
    wrong = admin_client.post(page(Problem, "change", made.pk), problem | {"number": "0"})
    assert wrong.status_code == 200
    admin_client.post(page(Problem, "change", made.pk), problem | {"correct_answer": "B"})
    made.refresh_from_db()
    assert (made.correct_answer, made.topics, made.number) == ("B", ["Algebra"], 3)


def test_a_project_that_something_names_stays_and_says_why(admin_client):
    named, used = ProjectFactory.create(name="Named"), ProjectFactory.create(name="Used")
    ActivityEvent.objects.create(event_id="1", session_ref="s-1", project=str(named.pk))
    SessionFactory.create(kind="agent", project=used)
    for project, words in (
        (named, "refers to it: activity events"),
        (used, "refers to it: sessions"),
    ):
        chosen = {"action": "delete_selected", "_selected_action": [project.pk], "post": "yes"}
        one = page(Project, "delete", project.pk)
        for address, sent in ((page(Project, "changelist"), chosen), (one, {"post": "yes"})):
            answer = admin_client.post(address, sent, follow=True)
            assert words in answer.content.decode()
        assert words in admin_client.get(one, follow=True).content.decode()
    taken = admin_client.post(page(Project, "add"), {"name": "Used", "status": "active"})
    assert "already" in faults(taken)
    assert Project.objects.filter(name__in=["Named", "Used"]).count() == 2


def test_words_of_an_agent_session_are_kept_with_who_and_why(admin_client):
    session = SessionFactory.create(kind="agent", title="Old")
    address = page(AgentSession, "change", session.pk)
    rows = {"project_switches-TOTAL_FORMS": "0", "project_switches-INITIAL_FORMS": "0"}
    assert admin_client.post(address, rows | {"title": "New"}).status_code == 302
    last = session.history.latest()
    assert (last.title, last.history_change_reason) == ("New", "rename (admin)")
    refused = admin_client.post(address, rows | {"title": "a" * 256})
    assert "at most 255 characters" in faults(refused)
