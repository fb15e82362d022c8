"""docs/upgrade-lessons.md tells what is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

from migrations_tools.definitions import SQLCheck
from migrations_tools.generators import generate_file
from sessions_app.data_migrations.lessons.checks import CHECKS
from sessions_app.models import Lesson
from tests.docs.console import document, run_all, section
from tests.sessions_app.data_migrations.lessons.test_generated import ROWS

TEXT = document("docs/upgrade-lessons.md")
CODE = Path(settings.BASE_DIR) / "sessions_app" / "data_migrations" / "lessons"


@pytest.mark.django_db(transaction=True)
def test_its_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for kind, rows in ROWS.items():
        path = tmp_path / f"{kind}.jsonl"
        generate_file(kind, path, rows=min(rows, 100), seed=3, defects=0.1)
    run_all(section(TEXT, "Step by step"))
    assert not Lesson.objects.exists()


def test_it_explains_every_code_that_the_steps_give() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in CODE.glob("*.py"))
    given = set(re.findall(r'(?:Warning_|Reject|Skip|Conflict)\(\s*"(\w+)"', text))
    assert len(given) > 30
    assert {code for code in given if f"`{code}`" not in TEXT} == set()


def test_it_explains_every_check() -> None:
    for check in CHECKS:
        for code in [check.code] if isinstance(check, SQLCheck) else check.titles:
            assert f"`{code}`" in TEXT
