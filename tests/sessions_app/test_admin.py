"""The admin pages of sessions: readable, constant in queries, no status set by a form."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from migrations_tools.cutover.stages import Stage
from sessions_app.models import (
    UNASSIGNED_ID,
    ActivityEvent,
    AgentSession,
    CollaborationSession,
    ContestSession,
    LegacyIdentity,
    LessonSession,
    Profile,
    Project,
    ProjectSwitch,
    Semester,
    Session,
    SessionFile,
    SessionKind,
)
from tests.sessions_app.factories import ParticipantFactory, ProjectFactory, SessionFactory
from tests.sessions_app.lesson_factories import CohortFactory
from tests.sessions_app.services.collaboration.acting import at_stage

pytestmark = pytest.mark.django_db

KINDS = [AgentSession, CollaborationSession, ContestSession, LessonSession]
MODELS = [*KINDS, Profile, Project, ActivityEvent, LegacyIdentity]


def make_one_of_each(number: int) -> None:
    user = User.objects.create_user(f"person-{number}")
    project = ProjectFactory.create(personal_of=user)
    Profile.objects.create(user=user, current_project=project)
    LegacyIdentity.objects.create(kind="agents", legacy_id=str(number), user=user)
    for kind in SessionKind:
        status = "scheduled" if kind == SessionKind.LESSON else "active"
        session = SessionFactory.create(kind=kind, project=project, user=user, status=status)
        ParticipantFactory.create(session=session)
        SessionFile.objects.create(session=session, name="notes.txt")
    ActivityEvent.objects.create(event_id=str(number))


def page(view: str, obj: Any, *arguments: object) -> str:
    return reverse(f"admin:sessions_app_{obj._meta.model_name}_{view}", args=arguments)


def change(client: Any, obj: Any, **values: str) -> int:
    """Post the change form as a browser would, with no inline rows."""
    prefixes = ("participants", "files", "project_switches")
    forms = {f"{prefix}-{name}_FORMS": "0" for prefix in prefixes for name in ("TOTAL", "INITIAL")}
    response = client.post(page("change", obj, obj.pk), forms | values)
    return int(response.status_code)


@pytest.mark.parametrize("model", MODELS)
def test_a_list_takes_the_same_number_of_queries_whatever_its_length(admin_client, model):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert admin_client.get(page("changelist", model)).status_code == 200
        return len(captured)

    make_one_of_each(1)
    queries()  # fills caches of content types
    few = queries()
    for number in range(2, 12):
        make_one_of_each(number)
    assert queries() == few


@pytest.mark.parametrize("kind", KINDS)
def test_a_session_takes_the_same_number_of_queries_whatever_it_has(admin_client, kind):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert admin_client.get(page("change", kind, session.pk)).status_code == 200
        return len(captured)

    make_one_of_each(1)
    session = kind.objects.get()
    switch(session)
    queries()
    few = queries()
    for _ in range(5):
        ParticipantFactory.create(session=session)
        SessionFile.objects.create(session=session, name=f"{_}.txt")
        switch(session)
    assert queries() == few


def switch(session: Session) -> None:
    ProjectSwitch.objects.create(
        session=session,
        from_project=ProjectFactory.create(),
        to_project=ProjectFactory.create(),
        actor=User.objects.get(username="admin"),
        surface="admin",
        state="failed",
        finished_at=session.created_at,
    )


@pytest.mark.parametrize("model", MODELS)
def test_every_model_can_be_looked_at_and_searched(admin_client, model):
    make_one_of_each(1)
    obj = model.objects.first()
    assert admin_client.get(page("change", model, obj.pk)).status_code == 200
    assert admin.site._registry[model].search_fields
    assert admin_client.get(page("changelist", model), {"q": "a"}).status_code == 200


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not LessonSession])
def test_a_form_changes_the_words_of_a_session_and_nothing_else(admin_client, kind):
    make_one_of_each(1)
    session = kind.objects.get()
    if kind is CollaborationSession:  # which is changed in its owner's name
        at_stage(Stage.COMPLETE)
        ParticipantFactory.create(session=session, role="owner")
    given = {"status": "completed", "project": "", "user": "", "session_id": "other"}
    before = Session.objects.filter(pk=session.pk).values(*given).get()
    assert change(admin_client, session, title="Renamed", description="", **given) == 302
    session.refresh_from_db()
    assert session.title == "Renamed"
    assert Session.objects.filter(pk=session.pk).values(*given).get() == before
    assert session.history.first().history_user.username == "admin"


def test_a_lesson_is_changed_as_a_lesson_only(admin_client):
    make_one_of_each(1)
    session = LessonSession.objects.get()
    assert change(admin_client, session, title="Renamed", description="") == 403
    assert LessonSession.objects.get().title == session.title


@pytest.mark.parametrize("model", [*KINDS, ActivityEvent, LegacyIdentity])
def test_what_services_make_is_not_added_by_a_form(admin_client, model):
    assert admin_client.get(page("add", model)).status_code == 403


def test_events_are_read_only(admin_client):
    make_one_of_each(1)
    event = ActivityEvent.objects.get()
    assert admin_client.post(page("change", event, event.pk), {}).status_code == 403
    assert admin_client.post(page("delete", event, event.pk), {"post": "yes"}).status_code == 403


def test_projects_and_profiles_can_be_added(admin_client):
    form = {"name": "New", "status": "active", "description": ""}
    assert admin_client.post(page("add", Project), form).status_code == 302
    assert Project.objects.get(name="New").is_primary is False
    assert admin_client.get(page("add", Profile)).status_code == 200


def test_a_profile_stays_with_its_person(admin_client):
    make_one_of_each(1)
    profile = Profile.objects.get()
    form = {"user": "999", "role": "instructor", "credit_balance": "3", "specialization": "sea"}
    assert change(admin_client, profile, **form) == 302
    profile.refresh_from_db()
    assert (profile.user.username, profile.role) == ("person-1", "instructor")


def test_an_event_is_found_by_its_session(admin_client):
    ActivityEvent.objects.create(event_id="1", session_ref="s-1")
    ActivityEvent.objects.create(event_id="2", session_ref="s-12")
    found = admin_client.get(page("changelist", ActivityEvent), {"q": "s-1"}).context["cl"]
    assert [event.event_id for event in found.result_list] == ["1"]


def test_the_sentinel_is_left_alone(admin_client):
    Project.objects.ensure_unassigned()
    sentinel = Project.objects.get(pk=UNASSIGNED_ID)
    assert change(admin_client, sentinel, name="Mine", status="active") == 403
    assert deleted(admin_client, sentinel) == 403
    delete_selected(admin_client, sentinel)
    assert Project.objects.get(pk=UNASSIGNED_ID).name == "__unassigned__"


def deleted(client: Any, obj: Any) -> int:
    return int(client.post(page("delete", obj, obj.pk), {"post": "yes"}).status_code)


def delete_selected(client: Any, obj: Any) -> None:
    form = {"action": "delete_selected", "_selected_action": [obj.pk], "post": "yes"}
    client.post(page("changelist", obj), form)


def test_a_project_that_nothing_refers_to_can_be_deleted(admin_client):
    project = ProjectFactory.create()
    assert deleted(admin_client, project) == 302
    assert not Project.objects.filter(pk=project.pk).exists()
    newest = Project.history.filter(id=project.pk).first()
    assert newest is not None
    assert newest.history_change_reason == "delete project (admin)"
    cohort = CohortFactory.create()
    for obj in (cohort, cohort.semester):
        assert deleted(admin_client, obj) == 302
    assert not Semester.objects.exists()


@pytest.mark.parametrize("way", [deleted, delete_selected])
def test_what_other_rows_refer_to_is_not_deleted(admin_client, way):
    project = ProjectFactory.create()
    other = ProjectFactory.create()
    SessionFactory.create(kind="agent", project=project, session_id="s-1")
    ActivityEvent.objects.create(event_id="1", session_ref="s-1", **{"project": other})
    semester = CohortFactory.create().semester
    for obj in (project, other, semester):
        way(admin_client, obj)
    assert Semester.objects.filter(pk=semester.pk).exists()
    assert Project.objects.filter(pk__in=[project.pk, other.pk]).count() == 2


@pytest.mark.parametrize("way", [deleted, delete_selected])
def test_no_session_is_deleted_around_its_status(admin_client, way):
    make_one_of_each(1)
    for kind in KINDS:
        way(admin_client, kind.objects.get())
    assert Session.objects.count() == len(KINDS)


def test_who_has_no_permission_sees_nothing(client):
    make_one_of_each(1)
    client.force_login(User.objects.create_user("guest", is_staff=True))
    for model in MODELS:
        assert client.get(page("changelist", model)).status_code == 403
