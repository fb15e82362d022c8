"""Orphans find their project (agents.md "Decision" and "Run")."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from migrations_tools.definitions import Apply, Reject, Review, Skip
from migrations_tools.definitions.decisions import Decision
from migrations_tools.engine import limits, worker
from migrations_tools.exceptions import PlanDrift
from migrations_tools.models import LedgerEntry, ReviewItem, Run
from migrations_tools.selectors.summary import summarise
from migrations_tools.services import runs
from migrations_tools.states import ReviewDecision
from sessions_app.data_migrations.assign_orphan_sessions import (
    AssignOptions,
    AssignStep,
    ProjectChoice,
)
from sessions_app.models import UNASSIGNED_ID, ActivityEvent, Project, Session
from tests.migrations_tools.verification.shop import tamper
from tests.sessions_app.data_migrations.orphans import (
    NAME,
    actor,
    add_events,
    carry_over,
    failed_checks,
    orphan,
    outcomes,
    plan,
    problems,
    projects,
    stored,
    take_back,
)
from tests.sessions_app.factories import SessionFactory

pytestmark = pytest.mark.django_db(transaction=True)


def one_of_each() -> list[Project]:
    """A session for every row of the table, and what is none of the migration's business."""
    a, b, c, d = projects(4)
    orphan("confident", (a, 15))
    orphan("tentative", (a, 6), (b, 2), (None, 7))
    orphan("review", (a, 5), (b, 3), (c, 2), (d, 2))
    orphan("nulls", (None, 3), (UNASSIGNED_ID, 2))
    orphan("silent", status="completed", ended_at="2025-01-02T00:00:00Z")
    SessionFactory.create(session_id="assigned", kind="agent", project=b)
    SessionFactory.create(session_id="lesson", kind="lesson", status="scheduled")
    return [a, b, c, d]


def test_every_session_gets_what_its_events_say() -> None:
    a, b, *_ = one_of_each()
    run = carry_over()
    assert stored() == {
        "confident": a.pk,
        "tentative": a.pk,
        "review": None,
        "nulls": UNASSIGNED_ID,
        "silent": UNASSIGNED_ID,
        "assigned": b.pk,
        "lesson": None,
    }
    summary = summarise(run)
    assert summary["total"] == sum(summary["outcomes"].values()) == 5
    assert outcomes(run) == {"applied": 4, "review": 1}
    assert summary["categories"] == {
        "confident": 1,
        "tentative": 1,
        "manual_review": 1,
        "unassigned": 2,
    }
    assert summary["warnings"] == {"manual_review": 1, "multiple_projects": 2}
    assert summary["changes"] == {"sessions_app.session": {"insert": 0, "update": 4, "delete": 0}}
    confidences = dict(LedgerEntry.objects.filter(run=run).values_list("key", "confidence"))
    assert confidences == {
        "confident": 1.0,
        "tentative": 0.75,
        "review": 5 / 12,
        "nulls": 1.0,
        "silent": 1.0,
    }
    assert failed_checks() == {}
    session = Session.objects.get(session_id="confident")
    assert session.history.first().history_change_reason == f"run {run.pk}"


def test_a_person_gets_all_evidence_of_what_is_not_clear() -> None:
    a, b, c, d = one_of_each()
    run = carry_over()
    item = ReviewItem.objects.get(run=run)
    assert (item.key, item.decision, item.confidence) == ("review", "open", 5 / 12)
    assert item.proposal == {"project": str(a.pk), "name": a.name}
    assert item.evidence["events"] == 12
    found = [(each["project"], each["events"]) for each in item.evidence["projects"]]
    assert found[:2] == [(str(a.pk), 5), (str(b.pk), 3)]
    assert set(found[2:]) == {(str(c.pk), 2), (str(d.pk), 2)}
    assert {each["name"] for each in item.evidence["projects"]} == {a.name, b.name, c.name, d.name}


def test_a_project_that_is_not_there_quarantines_its_session_alone() -> None:
    (a,) = projects(1)
    unknown = uuid.uuid4()
    orphan("good", (a, 4))
    orphan("lost", (unknown, 4))
    orphan("garbage", ("no uuid", 4), (a, 1))
    orphan("mostly good", (a, 4), (unknown, 1))
    run = carry_over()
    assert problems(run) == [
        ("garbage", "quarantined", "PROJECT_NOT_FOUND"),
        ("lost", "quarantined", "PROJECT_NOT_FOUND"),
    ]
    assert summarise(run)["categories"] == {"confident": 2, "tentative": 2}
    assert stored() == {"good": a.pk, "lost": None, "garbage": None, "mostly good": a.pk}
    Project.objects.create(pk=unknown, name="found again")
    again = runs.retry_run(run, ["lost"], **actor())
    assert again is not None
    assert outcomes(runs.work_run(again)) == {"applied": 3, "quarantined": 1}
    assert stored()["lost"] == unknown


def test_an_inactive_target_is_assigned_with_warnings() -> None:
    (a,) = projects(1)
    a.status = "archived"
    a.save()
    orphan("old", (a, 20))
    run = carry_over()
    summary = summarise(run)
    assert stored() == {"old": a.pk}
    assert summary["categories"] == {"tentative": 1}
    assert summary["warnings"] == {"PROJECT_INACTIVE": 1, "inactive_target": 1}
    assert problems(run) == [("old", "applied", "PROJECT_INACTIVE")]


def test_low_confidence_is_skipped_where_asked_and_taken_by_the_next_run() -> None:
    a, *_ = one_of_each()
    first = carry_over(skip_low_confidence=True)
    assert outcomes(first) == {"applied": 3, "skipped": 1, "review": 1}
    assert stored()["tentative"] is None
    second = carry_over()
    assert outcomes(second) == {"applied": 1, "review": 1}
    assert stored()["tentative"] == a.pk
    assert failed_checks() == {}


def test_min_evidence_makes_decisions_tentative() -> None:
    (a,) = projects(1)
    orphan("four", (a, 4))
    orphan("five", (a, 5))
    run = carry_over(min_evidence=5)
    assert summarise(run)["categories"] == {"confident": 1, "tentative": 1}
    assert failed_checks() == {}


def test_a_dry_run_and_a_plan_predict_the_run() -> None:
    one_of_each()
    orphan("lost", (uuid.uuid4(), 4))
    dry = runs.dry_run(NAME, **actor())
    assert dry is not None
    planned = plan()
    assert set(stored().values()) - {None} == {
        Session.objects.get(session_id="assigned").project_id
    }
    assert not ReviewItem.objects.exists()
    run = carry_over(planned=planned)
    for figure in ("outcomes", "warnings", "codes", "categories", "changes"):
        assert summarise(dry)[figure] == summarise(run)[figure], figure
    assert planned.report["outcomes"] == summarise(run)["outcomes"]
    assert summarise(run)["risks"] == summarise(dry)["risks"] == planned.report["risks"]


def test_nothing_to_do_makes_no_run() -> None:
    projects(1)
    assert runs.start_run(NAME, **actor()) is None
    assert runs.plan_run(NAME, **actor()) is None
    assert not Run.objects.exists()


# ----------------------------------------------------------------------------- concurrent changes


def test_a_plan_is_refused_once_there_is_new_evidence() -> None:
    a, b = projects(2)
    orphan("s", (a, 4))
    planned = plan()
    add_events("s", (b, 4))
    with pytest.raises(PlanDrift, match="data of AssignStep changed"):
        runs.start_run(NAME, planned=planned, **actor())
    assert stored() == {"s": None}


def test_evidence_that_came_after_the_implied_plan_is_a_conflict() -> None:
    a, b = projects(2)
    orphan("changed", (a, 4))
    orphan("same", (a, 4), (b, 1))
    run = runs.start_run(NAME, **actor())
    assert run is not None
    add_events("changed", (b, 1))
    add_events("same", (None, 3))  # no evidence
    run = runs.work_run(run)
    assert problems(run) == [("changed", "conflict", "changed_since_plan")]
    assert stored() == {"changed": None, "same": a.pk}
    assert outcomes(carry_over()) == {"applied": 1}


def test_what_a_trigger_makes_of_the_write_is_noticed_and_undone() -> None:
    a, b = projects(2)
    for number in range(9):
        orphan(f"s-{number}", (a, 4))
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS "
            "$$BEGIN UPDATE sessions_app_session SET project_id = "
            f"'{b.pk}' WHERE id = NEW.id; RETURN NULL; END$$"
        )
        cursor.execute(
            "CREATE TRIGGER meddle AFTER UPDATE ON sessions_app_session FOR EACH ROW WHEN "
            f"(NEW.session_id = 's-5' AND NEW.project_id = '{a.pk}') EXECUTE FUNCTION meddle()"
        )
    try:
        run = carry_over()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION meddle CASCADE")
    assert problems(run) == [("s-5", "quarantined", "STATE_INCONSISTENCY")]
    assert stored() == {f"s-{number}": None if number == 5 else a.pk for number in range(9)}
    assert summarise(run)["categories"] == {"confident": 9}
    assert not Session.objects.get(session_id="s-5").history.filter(history_type="~").exists()
    assert failed_checks() == {}


# --------------------------------------------------------------------------------------- rollback


def test_two_runs_roll_back_in_either_order() -> None:
    one_of_each()
    before = stored()
    for order in ([0, 1], [1, 0]):
        both = [carry_over(skip_low_confidence=True), carry_over()]
        assert [outcomes(run)["applied"] for run in both] == [3, 1]
        assert outcomes(take_back(both[order[0]])) in ({"restored": 3}, {"restored": 1})
        assert outcomes(take_back(both[order[1]])) in ({"restored": 3}, {"restored": 1})
        assert stored() == before


def test_a_session_that_was_reassigned_since_stays_unless_forced() -> None:
    _, b, *_ = one_of_each()
    run = carry_over()
    session = Session.objects.get(session_id="confident")
    session.project = b
    session.save()
    session = Session.objects.get(session_id="tentative")
    session.title = "edited elsewhere"
    session.save()
    assert failed_checks() == {}  # an edit explains the difference
    back = take_back(run)
    assert outcomes(back) == {"restored": 3, "conflict": 1}
    assert stored()["confident"] == b.pk
    assert stored()["tentative"] is None
    assert Session.objects.get(session_id="tentative").title == "edited elsewhere"
    assert outcomes(take_back(run, force=True)) == {"restored": 1}
    assert stored()["confident"] is None


# ------------------------------------------------------------------------------ checks by their own


def test_checks_name_what_is_wrong() -> None:
    a, b, *_ = one_of_each()
    carry_over()
    assert failed_checks() == {}
    Session.objects.filter(session_id="confident").update(project=b)
    Session.objects.filter(session_id="silent").update(project=a)
    failed = failed_checks()
    assert failed["wrong_project"] == ["confident"]
    assert failed["parked_with_evidence"] == ["silent"]


def test_checks_leave_sessions_with_new_evidence_to_the_next_run() -> None:
    _, b, *_ = one_of_each()
    carry_over()
    add_events("confident", (b, 100))
    add_events("silent", (b, 1))
    assert failed_checks() == {}


def test_an_orphan_without_a_word_is_left_out() -> None:
    a, *_ = one_of_each()
    run = carry_over()
    unseen = "DELETE FROM migrations_tools_ledgerentry WHERE run_id = %s AND key = 'review'"
    tamper("migrations_tools_ledgerentry", unseen, run.pk)  # as if the run had never seen it
    orphan("later", (a, 3))
    assert failed_checks()["left_out"] == ["review"]


# ------------------------------------------------------------------------------- the step by itself


def loaded_context(rows: list[Any]) -> Any:
    return AssignStep(AssignOptions()).load(rows)


def loaded(session: Session) -> tuple[Any, Any]:
    """The row as the source reads it, and what ``load`` knows of it."""
    source = AssignStep.source
    names = source.field_names()
    values = source._queryset.filter(pk=session.pk).values_list(*names).get()
    row = source.row_class()._make(values)
    return row, loaded_context([row])


def test_a_batch_makes_one_query_however_large_it_is() -> None:
    many = projects(4)
    rows = [loaded(orphan(f"s-{n}", *((p, n + 1) for p in many)))[0] for n in range(12)]
    for size in (1, 12):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            loaded_context(rows[:size])
        assert len(queries) == 1


def test_what_a_person_decides_is_written() -> None:
    a, b = projects(2)
    row, known = loaded(orphan("s", (a, 1), (b, 1)))
    step = AssignStep(AssignOptions())
    review = step.transform(row, known)
    assert isinstance(review, Review)

    def target(kind: ReviewDecision, **choice: str) -> Any:
        outcome = step.decided(row, known, Decision(kind, review.proposal, choice))
        assert isinstance(outcome, Apply)
        (change,) = outcome.changes
        return change.values["project"]  # type: ignore[union-attr]

    assert target(ReviewDecision.ACCEPTED) == min(a.pk, b.pk, key=str)
    assert target(ReviewDecision.CHOSEN, project=str(b.pk).upper()) == b.pk
    assert target(ReviewDecision.PARKED) == UNASSIGNED_ID


def test_a_proposal_that_names_no_project_cannot_be_accepted() -> None:
    (a,) = projects(1)
    row, known = loaded(orphan("s", ("gone", 2), (a, 2)))
    step = AssignStep(AssignOptions())
    proposal = {"project": "gone"}
    with pytest.raises(Reject) as refused:
        step.decided(row, known, Decision(ReviewDecision.ACCEPTED, proposal))
    assert refused.value.code == "PROJECT_NOT_FOUND"


def test_only_real_projects_can_be_chosen() -> None:
    a, _ = projects(2)
    a.status = "archived"
    a.save()
    AssignStep.check_choice(ProjectChoice(str(a.pk).upper()), [])
    for project in ("", "garbage", str(UNASSIGNED_ID), str(uuid.uuid4())):
        with pytest.raises(Reject) as refused:
            AssignStep.check_choice(ProjectChoice(project), [])
        assert refused.value.code == "PROJECT_NOT_FOUND"


def test_skipping_names_the_figures() -> None:
    a, b = projects(2)
    row, known = loaded(orphan("s", (a, 3), (b, 1)))
    outcome = AssignStep(AssignOptions(skip_low_confidence=True)).transform(row, known)
    assert isinstance(outcome, Skip)
    assert outcome.detail == f"3 of 4 events name project {a.pk}."
    assert not ActivityEvent.objects.exclude(session_ref="s").exists()


# -------------------------------------------------------------------------- switches under way


def test_a_session_that_is_being_switched_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever switches a session holds its row; the others do not wait for it for ever."""
    monkeypatch.setattr(limits, "LOCK_TIMEOUT_MS", 100)
    monkeypatch.setattr(worker, "BACKOFF_SECONDS", 0.05)
    a, b = projects(2)
    session = orphan("switched", (a, 4))
    orphan("other", (a, 4))
    run = runs.start_run(NAME, **actor())
    assert run is not None
    held, done = threading.Event(), threading.Event()

    def switch() -> None:
        with transaction.atomic():
            locked = Session.objects.select_for_update(no_key=True).get(pk=session.pk)
            held.set()
            done.wait(60)
            locked.project = b
            locked.save()
        connection.close()

    switching = threading.Thread(target=switch)
    switching.start()
    try:
        assert held.wait(30)
        run = runs.work_run(run)
    finally:
        done.set()
        switching.join()
    assert problems(run) == [("switched", "quarantined", "CONCURRENT_SWITCH_IN_PROGRESS")]
    assert stored() == {"switched": b.pk, "other": a.pk}
