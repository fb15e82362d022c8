"""Pages of collaboration sessions: operations in the owner's name, and what becomes of them."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from migrations_tools.cutover.stages import Stage
from migrations_tools.models import Transition
from sessions_app.models import Session, SessionParticipant
from tests.sessions_app.admin.acting import do, logged_in, page, staff, told
from tests.sessions_app.factories import ParticipantFactory
from tests.sessions_app.services.collaboration.acting import SID, act, at_stage, both, email

pytestmark = pytest.mark.django_db

MODEL = "collaborationsession"
RIGHTS = ("view_collaborationsession", "change_collaborationsession", "view_sessionparticipant")
NO_ROWS = {"files-TOTAL_FORMS": "0", "files-INITIAL_FORMS": "0"}


@pytest.fixture
def session() -> Session:
    """Ann's session with the editor Bob, when the new system is alone."""
    at_stage(Stage.COMPLETE)
    act(0, "ann", "create", "Compilers")
    act(1, "ann", "invite", "bob", "editor")
    act(2, "bob", "accept")
    return Session.objects.get(session_id=SID)


@pytest.fixture
def operator() -> Client:
    return logged_in(staff("amal", *RIGHTS))


def people() -> dict[str, tuple[str, str]]:
    return {row.email: (row.role, row.status) for row in SessionParticipant.objects.all()}


def test_an_operator_runs_a_session_from_its_page(operator, session):
    steps = [
        (
            "invite",
            {"email": "Carol@example.com", "role": "admin"},
            "Carol@example.com is invited.",
        ),
        ("role", {"email": email("bob"), "role": "viewer"}, "bob@example.com has the role now."),
        ("transfer", {"email": email("bob")}, "bob@example.com owns the session now."),
        ("remove", {"email": email("ann")}, "ann@example.com is not in the session any more."),
        ("archive", {"reason": "by letter"}, "The session is archived."),
        ("restore", {}, "The session is active again."),
    ]
    for name, values, words in steps:
        asked = operator.get(page(MODEL, "operation", session.pk, name), values)
        assert asked.status_code == 200
        answer = do(operator, MODEL, session.pk, name, **values)
        assert answer.status_code == 302
        assert answer.url == page(MODEL, "change", session.pk)
        assert told(answer)[-1] == words
    assert people() == {
        email("ann"): ("admin", "removed"),
        email("bob"): ("owner", "active"),
        email("carol"): ("admin", "invited"),
    }
    archived = session.history.filter(status="archived").get()
    assert archived.history_user.username == "amal"
    assert archived.history_change_reason == "archive (admin): by letter"
    do(operator, MODEL, session.pk, "delete")
    session.refresh_from_db()
    assert session.status == "deleted"


def test_the_page_shows_people_differences_and_which_system_leads(operator, session):
    act(3, "ann", "role", "bob", "viewer")
    shown = operator.get(page(MODEL, "change", session.pk))
    assert [row.member.email for row in shown.context["participants"]] == [
        email("ann"),
        email("bob"),
    ]
    assert [len(row.buttons) for row in shown.context["participants"]] == [0, 3]
    differences = [each for row in shown.context["changes"] for each in row.differences]
    assert ("role", "editor", "viewer") in differences
    assert "The new system leads" in shown.content.decode()
    at_stage(Stage.OFF)
    shown = operator.get(page(MODEL, "change", session.pk)).content.decode()
    assert "The old system leads" in shown
    assert "does not know this session" in shown


def test_what_is_done_follows_the_stage_of_the_cutover(operator):
    at_stage(Stage.DUAL_WRITE)
    act(0, "ann", "create", "Compilers")
    session = Session.objects.get(session_id=SID)
    do(operator, MODEL, session.pk, "invite", email="bob@example.com", role="viewer")
    for found in both():
        assert found is not None
        assert found.members[email("bob")].role == "viewer"
    words = {**NO_ROWS, "title": " Interpreters ", "description": "as of May"}
    assert operator.post(page(MODEL, "change", session.pk), words).status_code == 302
    for found in both():
        assert found is not None
        assert (found.title, found.description) == ("Interpreters", "as of May")
    assert session.history.first().history_user.username == "amal"


def test_words_that_the_services_refuse_stand_at_the_form(operator, session):
    address = page(MODEL, "change", session.pk)
    seen = operator.get(address).context["adminform"].form.seen
    operator.post(address, {**NO_ROWS, "title": "Interpreters"})
    stale = operator.post(address, {**NO_ROWS, "title": "Assemblers", "_seen": seen})
    assert "“Title” is “Interpreters” now" in stale.content.decode()
    do(operator, MODEL, session.pk, "archive")
    refused = operator.post(address, {**NO_ROWS, "title": "Assemblers"})
    assert refused.status_code == 200
    assert "archived" in " ".join(refused.context["adminform"].form.non_field_errors())
    session.refresh_from_db()
    assert session.title == "Interpreters"


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("invite", {"email": "bob@example.com", "role": "viewer"}, "is in the session already"),
        ("invite", {"email": "nobody", "role": "viewer"}, "valid email"),
        ("invite", {"email": "carol@example.com", "role": "owner"}, "Select a valid choice"),
        ("role", {"email": "carol@example.com", "role": "viewer"}, "is not in session"),
        ("role", {"email": "ann@example.com", "role": "viewer"}, "owns the session"),
        ("remove", {"email": "ann@example.com"}, "owns the session and cannot be removed"),
        ("remove", {"email": "a\0b"}, "Null characters"),
        ("restore", {}, "cannot become active"),
    ],
)
def test_what_is_refused_is_told_in_words_and_changes_nothing(
    operator, session, name, values, words
):
    # carol is somebody, in another session
    ParticipantFactory.create(email="carol@example.com")
    before = people()
    answer = do(operator, MODEL, session.pk, name, **values)
    assert words in " ".join(told(answer))
    assert people() == before


def test_the_second_click_is_told_what_has_happened(operator, session):
    for _ in range(2):
        answer = do(operator, MODEL, session.pk, "archive", reason="asked by letter")
    last = told(answer)[-1]
    assert "it cannot become archived" in last
    assert "Last change: archive (admin): asked by letter, amal, " in last


def test_who_may_only_look_does_nothing_here(session):
    auditor = logged_in(staff("audit", "view_collaborationsession"))
    shown = auditor.get(page(MODEL, "change", session.pk))
    assert shown.context["operations"] == []
    assert not any(row.buttons for row in shown.context["participants"])
    assert auditor.get(page(MODEL, "operation", session.pk, "archive")).status_code == 403
    assert do(auditor, MODEL, session.pk, "archive").status_code == 403
    session.refresh_from_db()
    assert session.status == "active"


def test_unknown_operations_and_sessions_are_not_there(operator, session):
    assert do(operator, MODEL, session.pk, "explode").status_code == 404
    assert told(do(operator, MODEL, 0, "archive"))  # sent to the overview, with a sentence
    assert not Transition.objects.filter(action="refused").exists()


def test_a_page_takes_the_same_number_of_queries_however_many_people_are_in(operator, session):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert operator.get(page(MODEL, "change", session.pk)).status_code == 200
        return len(captured)

    queries()
    few = queries()
    for _ in range(6):
        ParticipantFactory.create(session=session)
    assert queries() == few


def test_who_may_not_see_participants_is_shown_no_addresses(session):
    reviewer = logged_in(staff("reviewer", "view_collaborationsession"))
    shown = reviewer.get(page(MODEL, "change", session.pk))
    assert shown.context["changes"]
    assert "bob@" not in shown.content.decode()
    found = reviewer.get(page(MODEL, "changelist"), {"q": "bob@"}).context["cl"]
    assert not found.result_count
