"""docs/assign-orphan-sessions.md tells what is so."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from migrations_tools.definitions import SQLCheck
from sessions_app.data_migrations import assign_orphan_sessions as migration
from sessions_app.data_migrations.orphan_checks import CHECKS
from sessions_app.data_migrations.orphan_decision import DecisionType, WarningCode
from sessions_app.models import Session

TEXT = (Path(settings.BASE_DIR) / "docs" / "assign-orphan-sessions.md").read_text()


@pytest.mark.django_db(transaction=True)
def test_its_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for kind, name, rows in (
        ("projects", "projects.jsonl", 6),
        ("agent_sessions", "sessions.jsonl", 30),
        ("activity_events", "events.jsonl", 300),
    ):
        call_command("generate_legacy", kind, rows=rows, seed=1, defects=0.0, out=Path(name))
    commands = re.findall(r"^    python manage\.py (.+)$", TEXT, re.MULTILINE)
    assert len(commands) == 7
    *forward, back = commands
    for command in forward:
        call_command(*shlex.split(command))
    call_command("datamigrate", "status", "last", "--json")
    assigned = Session.objects.filter(project__isnull=False).count()
    call_command(*shlex.split(back))
    assert Session.objects.filter(project__isnull=False).count() < assigned


def test_it_explains_every_type_warning_code_and_check() -> None:
    checks = [
        code
        for check in CHECKS
        for code in ([check.code] if isinstance(check, SQLCheck) else check.titles)
    ]
    codes = [
        migration.PROJECT_NOT_FOUND,
        migration.PROJECT_INACTIVE,
        migration.CONCURRENT_SWITCH_IN_PROGRESS,
        migration.STATE_INCONSISTENCY,
    ]
    for word in (*DecisionType, *WarningCode, *checks, *codes):
        assert f"`{word}`" in TEXT, word
