"""The sessions of the old systems as a part of ``migrate``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command

from migrations_tools import checks
from migrations_tools.exceptions import CarryoverError
from migrations_tools.models import Run
from migrations_tools.services import runs
from migrations_tools.services.actors import system_user
from sessions_app.models import LegacyCollaborationRow, Session
from tests.sessions_app.data_migrations.orphans import orphan, projects

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = "0009"


@pytest.fixture
def deployed_before() -> Iterator[None]:
    """The database as it was before the last migration; afterwards it is up to date again."""
    call_command("migrate", "sessions_app", BEFORE, verbosity=0)
    yield
    call_command("migrate", "sessions_app", fake=True, verbosity=0)


def stage(folder: Path) -> None:
    """Rows of two old systems, and an orphan whose events name one project."""
    for kind, rows in {"collaboration": 6, "contest_sessions": 4}.items():
        file = folder / f"{kind}.jsonl"
        call_command("generate_legacy", kind, rows=rows, seed=7, defects=0, out=file)
        call_command("import_legacy", kind, str(file))
    (project,) = projects(1)
    orphan("agent-1", (project, 3))


def migrate(to: str = "") -> None:
    call_command("migrate", "sessions_app", *([to] if to else []), verbosity=0)


def test_migrate_carries_staged_sessions_over_and_takes_them_back(
    deployed_before: None, tmp_path: Path
) -> None:
    stage(tmp_path)
    migrate()
    applied = Run.objects.filter(kind="apply").order_by("created_at")
    assert list(applied.values_list("definition", "state", "verification_state")) == [
        ("normalize_collaboration_sessions", "completed", "passed"),
        ("assign_orphan_sessions", "completed", "passed"),
        ("enrich_contest_sessions", "completed", "passed"),
    ]
    assert Session.objects.filter(kind="contest").count() == 4
    assert Session.objects.get(kind="agent").project is not None
    staged = LegacyCollaborationRow.objects.values("session_key").distinct()
    assert Session.objects.filter(kind="collaboration").count() == staged.count()
    migrate(BEFORE)
    left = Session.objects.get()
    assert (left.session_id, left.project) == ("agent-1", None)
    assert set(applied.values_list("state", flat=True)) == {"rolled_back"}


def test_nothing_is_run_where_nothing_is_staged(deployed_before: None) -> None:
    migrate()
    assert not Run.objects.exists()


def test_a_refusal_half_way_is_gone_on_from_where_it_stopped(
    deployed_before: None, tmp_path: Path
) -> None:
    stage(tmp_path)
    paused = runs.start_run("enrich_contest_sessions", acting_user=system_user(), surface="command")
    assert paused is not None
    runs.pause_run(paused, acting_user=system_user(), surface="command")
    with pytest.raises(CarryoverError, match=f"datamigrate resume {paused.pk}"):
        migrate()
    runs.resume_run(paused, acting_user=system_user(), surface="command")
    runs.work_run(paused)
    migrate()
    assert Session.objects.filter(kind="contest").count() == 4
    assert Run.objects.filter(kind="apply").count() == 3
    paused.refresh_from_db()
    assert paused.verification_state == "passed"


def test_the_last_migration_is_where_the_system_checks_want_it() -> None:
    assert checks.check_operations() == []
