"""Pages of agent sessions: orphans, evidence, switches, and what people do with a session."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from migrations_tools.models import Transition
from sessions_app.models import ActivityEvent, AgentSession, Project, Session, SessionStatus
from tests.sessions_app.admin.acting import do, logged_in, page, staff, told
from tests.sessions_app.factories import ProjectFactory, SessionFactory

pytestmark = pytest.mark.django_db

MODEL = "agentsession"


@pytest.fixture
def operator() -> Client:
    return logged_in(staff("amal", "view_agentsession", "change_agentsession"))


def agent(**values: object) -> Session:
    return SessionFactory.create(kind="agent", **values)


def event(session: Session, number: int, project: object = None) -> None:
    ActivityEvent.objects.create(
        event_id=str(number), session_ref=session.session_id, event_type="edit",
        occurred_at=timezone.now(), project=None if project is None else str(project),
    )  # fmt: skip


def test_a_session_is_assigned_switched_and_ended_from_its_page(operator):
    alpha, beta = ProjectFactory.create(name="Alpha"), ProjectFactory.create(name="Beta")
    session = agent()
    steps: list[tuple[str, dict[str, object], str]] = [
        ("assign", {"name": "alph"}, "The session belongs to “Alpha” now."),
        ("switch", {"project": beta.pk, "reason": "moved"}, "The session belongs to “Beta” now."),
        ("end", {"to_status": "abandoned"}, "The session is abandoned."),
    ]
    for name, values, words in steps:
        assert operator.get(page(MODEL, "operation", session.pk, name)).status_code == 200
        answer = do(operator, MODEL, session.pk, name, **values)
        assert (answer.status_code, told(answer)[-1]) == (302, words)
    session.refresh_from_db()
    assert (session.project, session.status) == (beta, "abandoned")
    switches = session.project_switches.order_by("id")
    assert [(row.to_project, row.surface, row.reason) for row in switches] == [
        (alpha, "admin", ""),
        (beta, "admin", "moved"),
    ]


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("assign", {"name": "port"}, "fits 2 projects"),
        ("assign", {"name": "nowhere"}, "No project's name contains"),
        ("assign", {"name": ""}, "required"),
        ("switch", {"project": "00000000-0000-0000-0000-000000000000"}, "valid choice"),
        ("switch", {"project": "what"}, "is not a valid UUID"),
        ("end", {"to_status": "inactive"}, "valid choice"),
        ("recover", {}, "no active or timed out session"),
    ],
)
def test_what_is_refused_is_told_in_words_and_changes_nothing(operator, name, values, words):
    Project.objects.ensure_unassigned()
    ProjectFactory.create(name="Airport")
    ProjectFactory.create(name="Seaport")
    session = agent()
    before = Session.objects.filter(pk=session.pk).values().get()
    assert words in " ".join(told(do(operator, MODEL, session.pk, name, **values)))
    assert Session.objects.filter(pk=session.pk).values().get() == before


def test_the_second_click_is_told_that_the_session_has_ended(operator):
    session = agent(project=ProjectFactory.create())
    for _ in range(2):
        answer = do(operator, MODEL, session.pk, "end", to_status="completed")
    last = told(answer)[-1]
    assert "has ended: it is completed." in last
    assert "Last change: end (admin), amal, " in last


def test_people_recover_their_own_newest_session_only():
    person = staff("omar", "view_agentsession", "change_agentsession")
    client = logged_in(person)
    older = agent(user=person, status=SessionStatus.INACTIVE, started_at="2025-01-01T00:00Z")
    newer = agent(user=person, status=SessionStatus.INACTIVE, started_at="2025-01-02T00:00Z")
    assert "own newest session" in told(do(client, MODEL, older.pk, "recover"))[-1]
    offered = [button.label for button in client.get(
        page(MODEL, "change", newer.pk)).context["operations"]]  # fmt: skip
    assert "Recover" in map(str, offered)
    assert told(do(client, MODEL, newer.pk, "recover"))[-1] == "The session is active again."
    older.refresh_from_db()
    newer.refresh_from_db()
    assert (older.status, newer.status) == ("inactive", "active")


def test_orphans_parked_and_assigned_sessions_are_told_apart(operator):
    Project.objects.ensure_unassigned()
    orphan = agent()
    parked = agent(project_id="00000000-0000-0000-0000-000000000000")
    assigned = agent(project=ProjectFactory.create())
    for value, kept in [("orphan", orphan), ("parked", parked), ("assigned", assigned)]:
        found = operator.get(page(MODEL, "changelist"), {"belongs": value}).context["cl"]
        assert [row.pk for row in found.result_list] == [kept.pk]


def test_a_list_is_narrowed_by_the_statuses_of_its_kind(operator):
    kept = agent(status="inactive")
    agent()
    shown = operator.get(page(MODEL, "changelist"), {"status": "inactive"}).context["cl"]
    assert [row.pk for row in shown.result_list] == [kept.pk]
    choices = [value for value, _ in shown.filter_specs[0].lookup_choices]
    assert choices == ["active", "inactive", "completed", "abandoned"]


def test_the_page_shows_evidence_and_events(operator):
    alpha = ProjectFactory.create(name="Alpha")
    session = agent(session_id="s-9")
    for number, project in enumerate([alpha.pk, alpha.pk, "gone", None]):
        event(session, number, project)
    shown = operator.get(page(MODEL, "change", session.pk)).context
    assert [(each.name, each.project_id, each.events) for each in shown["evidence"]] == [
        ("Alpha", str(alpha.pk), 2),
        (None, "gone", 1),
    ]
    assert [name for _, name in shown["events"]] == [None, "gone", "Alpha", "Alpha"]
    assert shown["is_orphan"]


def test_health_counts_orphans_and_leads_to_them(operator):
    agent()
    shown = operator.get(page(MODEL, "health"))
    figures = {str(figure.label): figure.value for figure in shown.context["card"].figures}
    assert figures["orphans"] == 1
    assert figures["in projects that do not exist"] == 0
    assert b"?belongs=orphan" in shown.content
    assert logged_in(staff("guest")).get(page(MODEL, "health")).status_code == 403


def test_who_may_only_look_does_nothing_here():
    auditor = logged_in(staff("audit", "view_agentsession"))
    session = agent()
    assert auditor.get(page(MODEL, "change", session.pk)).context["operations"] == []
    assert do(auditor, MODEL, session.pk, "end", to_status="completed").status_code == 403
    assert AgentSession.objects.get().status == "active"
    assert not Transition.objects.filter(action="refused").exclude(actor__username="audit").exists()


def test_a_page_takes_the_same_number_of_queries_however_much_happened(operator):
    session = agent()

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert operator.get(page(MODEL, "change", session.pk)).status_code == 200
        return len(captured)

    event(session, 1, ProjectFactory.create().pk)
    queries()
    few = queries()
    for number in range(2, 9):
        event(session, number, ProjectFactory.create().pk)
    assert queries() == few
