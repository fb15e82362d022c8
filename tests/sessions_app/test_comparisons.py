"""Records of the old session systems beside what they became."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.urls import reverse

from migrations_tools.comparisons import (
    Comparison,
    comparison_of,
    comparison_url,
    comparison_url_of,
)
from sessions_app.models import (
    ContestResult,
    LegacyCollaborationRow,
    LegacyContestSession,
    Session,
    SessionParticipant,
)
from tests.sessions_app import contest_files as contests
from tests.sessions_app.data_migrations import collaboration, orphans
from tests.sessions_app.data_migrations.lessons import academy

pytestmark = pytest.mark.django_db(transaction=True)


def differing(found: Comparison | None) -> dict[str, tuple[object, object]]:
    assert found is not None
    return {str(field.name): (field.legacy, field.new) for field in found.fields if field.differs}


def test_a_collaboration_session_is_compared_with_its_people() -> None:
    a, b = collaboration.A, collaboration.B
    collaboration.stage(
        collaboration.document(n="Plan", e=a, t=1),
        collaboration.document(n="Plan", e=a, i=b, a="view", t=2),
    )
    name = collaboration.NAME
    before = comparison_of(name, 0, "s-1")
    assert before is not None
    assert (before.new, len(before.legacy), before.differing) == ([], 2, 0)
    collaboration.carry()
    assert differing(comparison_of(name, 0, "s-1")) == {}
    SessionParticipant.objects.filter(email=b).update(role="editor")
    assert differing(comparison_of(name, 0, "s-1")) == {f"{b}: role": ("viewer", "editor")}
    assert comparison_of(name, 0, "s-2") is None


def test_a_contest_document_is_compared_with_session_result_and_attempts(tmp_path: Path) -> None:
    contests.import_sessions(tmp_path, contests.session("1"))
    contests.carry()
    key = LegacyContestSession.objects.get().key
    assert differing(comparison_of(contests.NAME, 0, key)) == {}
    ContestResult.objects.update(contest="AMC 12")
    (changed,) = differing(comparison_of(contests.NAME, 0, key)).items()
    assert (changed[0], changed[1][1]) == ("contest", "AMC 12")
    assert comparison_of(contests.NAME, 0, "unknown") is None


def test_an_unreadable_document_says_why(tmp_path: Path) -> None:
    contests.import_sessions(tmp_path, {"_id": "x", "user": 7, "problems_attempted": "none"})
    found = comparison_of(contests.NAME, 0, "x")
    assert found is not None
    assert (found.new, found.fields[0].name) == ([], "invalid_document")


def test_a_row_of_the_academy_is_compared_column_by_column(tmp_path: Path) -> None:
    academy.open_academy(tmp_path, capacity=12)
    academy.upgrade()
    assert differing(comparison_of("upgrade_lessons", 2, "1")) == {}
    assert differing(comparison_of("upgrade_lessons", 0, "1")) == {}
    lesson = Session.objects.get(session_id="lesson-1").lesson
    lesson.capacity = 9
    lesson.save()
    assert differing(comparison_of("upgrade_lessons", 2, "1")) == {"capacity": (12, 9)}
    for step, key in ((2, "99"), (7, "1"), (40, "1")):
        assert comparison_of("upgrade_lessons", step, key) is None


def test_an_agent_session_tells_the_projects_that_file_and_events_name() -> None:
    first, second = orphans.projects(2)
    session = orphans.orphan("o-1", (first.pk, 3), (second.pk, 1))
    Session.objects.update(project=second, metadata={"project_id": str(first.pk)})
    found = comparison_of(orphans.NAME, 0, session.session_id)
    assert differing(found) == {"project as its file names it": (str(first.pk), str(second.pk))}
    assert found is not None
    assert found.fields[1].legacy == f"{first.pk} (3), {second.pk} (1)"


def test_what_was_carried_over_leads_to_what_it_came_from(tmp_path: Path, admin_client) -> None:
    contests.import_sessions(tmp_path, contests.session("1"))
    contests.carry()
    academy.open_academy(tmp_path)
    academy.upgrade()
    contest = Session.objects.get(kind="contest")
    lesson = Session.objects.get(kind="lesson")
    key = LegacyContestSession.objects.get().key
    of_contest = comparison_url(contests.NAME, 0, key)
    of_lesson = comparison_url("upgrade_lessons", 2, "1")
    assert comparison_url_of(contest) == comparison_url_of(contest.contest_result) == of_contest
    assert comparison_url_of(lesson) == comparison_url_of(lesson.lesson) == of_lesson
    made_here = Session.objects.create(session_id="new", kind="collaboration", title="New")
    assert comparison_url_of(made_here) == ""
    page = reverse("admin:sessions_app_semester_change", args=[lesson.lesson.semester_id])
    shown = admin_client.get(page).content.decode()
    assert comparison_url("upgrade_lessons", 0, "1") in shown


def test_lists_of_staged_rows_lead_to_the_comparison(admin_client) -> None:
    collaboration.stage(collaboration.document(n="Plan", e=collaboration.A, t=1))
    listed = admin_client.get(reverse("admin:sessions_app_legacycollaborationrow_changelist"))
    address = comparison_url(collaboration.NAME, 0, "s-1")
    assert address in listed.content.decode()
    assert "became nothing yet" in admin_client.get(address).content.decode()
    row = LegacyCollaborationRow.objects.get()
    page = reverse("admin:sessions_app_legacycollaborationrow_change", args=[row.pk])
    assert address in admin_client.get(page).content.decode()
    assert admin_client.post(page, {"key": "x"}).status_code == 403
