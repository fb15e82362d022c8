"""The data migrations of the sessions under faults: pure, reversible, and safe from every crash."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from django.core.management import call_command

from migrations_tools.imports.service import import_legacy
from migrations_tools.services.actors import system_user
from migrations_tools.testing import assert_crash_safe, assert_pure, assert_reversible
from sessions_app.models import Semester, Session

pytestmark = pytest.mark.django_db(transaction=True)

#: Data migration → files of the old system that it needs, in order, and their rows.
FILES = {
    "normalize_collaboration_sessions": {"collaboration": 40},
    "assign_orphan_sessions": {"projects": 5, "agent_sessions": 40, "activity_events": 120},
    "enrich_contest_sessions": {"problems": 20, "contest_users": 6, "contest_sessions": 24},
    "upgrade_lessons": {
        "semesters": 2,
        "cohorts": 2,
        "users": 20,
        "lessons": 6,
        "bookings": 16,
        "attendance": 12,
        "feedback": 8,
        "lesson_projects": 4,
    },
}

#: Keys of a batch, so that there are two at least and few more.
BATCH_SIZES = {
    "normalize_collaboration_sessions": 2,
    "assign_orphan_sessions": 8,
    "enrich_contest_sessions": 8,
    "upgrade_lessons": 20,
}


@pytest.fixture(params=FILES)
def staged(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The name of a data migration whose generated rows are staged, a third with defects."""
    name: str = request.param
    for kind, rows in FILES[name].items():
        file = tmp_path / f"{kind}.jsonl"
        call_command("generate_legacy", kind, rows=rows, seed=7, defects=0.3, out=file)
        import_legacy(kind, [file], acting_user=system_user(), surface="command")
    return name


@pytest.mark.slow
def test_it_is_pure_and_reversible(staged: str) -> None:
    assert_pure(staged)
    assert_reversible(staged)


def edit(name: str) -> None:
    """What a person does meanwhile to something that was carried over."""
    if name == "upgrade_lessons":
        semester = Semester.objects.earliest("pk")
        semester.name = "seen by a person"
        semester.save()
        return
    session = Session.objects.earliest("pk")
    session.description = "seen by a person"
    session.save()


@pytest.mark.fault_long
def test_no_crash_loses_or_doubles_anything(staged: str) -> None:
    assert_crash_safe(staged, batch_size=BATCH_SIZES[staged], edit=partial(edit, staged))
