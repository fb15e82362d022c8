"""docs/normalize-collaboration-sessions.md tells what is so."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from migrations_tools.definitions import SQLCheck
from sessions_app import data_migrations
from sessions_app.data_migrations.collaboration_checks import CHECKS
from sessions_app.models import Session

TEXT = (Path(settings.BASE_DIR) / "docs" / "normalize-collaboration-sessions.md").read_text()


@pytest.mark.django_db(transaction=True)
def test_its_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    *forward, back, generate = re.findall(r"^    python manage\.py (.+)$", TEXT, re.MULTILINE)
    assert len(forward) == 4
    call_command(*shlex.split(generate))
    Path("practice.json").rename("sessionmanagements.json")
    assert [typed(command) for command in forward] == [0, 0, 2, 0]  # some rows are quarantined
    assert Session.objects.exists()
    call_command("datamigrate", "status", "last", "--json")
    call_command(*shlex.split(back))
    assert not Session.objects.exists()


def typed(command: str) -> int:
    """The exit code of a command."""
    try:
        call_command(*shlex.split(command))
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def codes() -> set[str]:
    """Codes that the modules of the migration give to warnings, rejections and other outcomes."""
    found: set[str] = set()
    for path in Path(str(data_migrations.__file__)).parent.glob("*collaboration*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                first = node.args[0] if node.args else None
                if node.func.id in {"Warning_", "Reject", "Skip", "Conflict"}:
                    found |= {str(first.value)} if isinstance(first, ast.Constant) else set()
    return found | {
        "multiple_creators", "upload_only_participant", "inviter_only_participant",
        "access_missing", "access_unknown",
    }  # fmt: skip


def test_it_explains_every_code() -> None:
    assert len(codes()) == 21
    assert {code for code in codes() if f"`{code}`" not in TEXT} == set()


def test_it_explains_every_check() -> None:
    for check in CHECKS:
        for code in [check.code] if isinstance(check, SQLCheck) else check.titles:
            assert f"`{code}`" in TEXT
