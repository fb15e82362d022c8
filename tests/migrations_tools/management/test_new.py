"""``datamigrate new``: what it writes runs as it stands."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command

from migrations_tools.definitions import registry
from migrations_tools.services import runs
from migrations_tools.services.actors import system_user
from tests.shop.models import LegacyNote

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The shop as an app in a folder of its own, without data migrations."""
    folder = tmp_path / "begun_shop"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "models.py").write_text("from tests.shop.models import *\n")
    shop = apps.get_app_config("shop")
    monkeypatch.setattr(shop, "path", str(folder))
    monkeypatch.setattr(shop, "name", "begun_shop")
    monkeypatch.setattr(registry, "_definitions", dict(registry._definitions))
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for module in [name for name in sys.modules if name.startswith("begun_shop")]:
        del sys.modules[module]


def new(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    code = 0
    try:
        call_command("datamigrate", "new", *arguments, "--json")
    except SystemExit as end:
        code = int(str(end.code or 0))
    return code, json.loads(capsys.readouterr().out)


def test_the_new_migration_quarantines_every_row_until_it_is_written(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, answer = new(capsys, "move_notes", "--app", "shop", "--source", "legacynote")
    assert code == 0
    assert answer["files"] == [
        str(project / "data_migrations" / "move_notes.py"),
        str(project / "test_move_notes.py"),
    ]
    importlib.import_module("begun_shop.data_migrations")
    LegacyNote.objects.create(customer="a", text="one")
    run = runs.start_run("move_notes", acting_user=system_user(), surface="command")
    assert run is not None
    runs.work_run(run)
    (entry,) = run.ledger.all()
    assert (entry.outcome, entry.code) == ("quarantined", "not_decided")


def test_without_app_and_model_it_takes_the_first_that_fit(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "data_migrations").mkdir()
    (project / "data_migrations" / "__init__.py").touch()
    shop = apps.get_app_config("shop")
    monkeypatch.setattr(apps, "get_app_configs", lambda: [shop])
    code, _ = new(capsys, "move_orders_on")
    assert code == 0
    text = (project / "data_migrations" / "move_orders_on.py").read_text()
    assert "source = RowSource(LegacyOrder)" in text


def test_its_tests_fail_until_rows_are_staged(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new(capsys, "move_notes", "--app", "shop", "--source", "LegacyNote")
    importlib.import_module("begun_shop.data_migrations")
    tests = importlib.import_module("begun_shop.test_move_notes")
    with pytest.raises(AssertionError, match="stage some rows first"):
        tests.test_it_is_pure_and_reversible(None)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["Move-Notes", "--app", "shop", "--source", "LegacyNote"], "bad_name"),
        (["class", "--app", "shop", "--source", "LegacyNote"], "bad_name"),
        (["carry_orders", "--app", "shop", "--source", "LegacyNote"], "name_taken"),
        (["move_notes", "--app", "shoe", "--source", "LegacyNote"], "unknown_app"),
        (["move_notes", "--app", "shop", "--source", "Legacy"], "unknown_model"),
    ],
)
def test_what_cannot_be_begun_is_refused_and_nothing_written(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], error: str
) -> None:
    code, answer = new(capsys, *arguments)
    assert code == 1
    assert answer["error"]["code"] == error
    assert sorted(file.name for file in project.iterdir()) == ["__init__.py", "models.py"]


def test_nothing_is_overwritten(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("move_notes", "--app", "shop", "--source", "LegacyNote")
    new(capsys, *arguments)
    code, answer = new(capsys, *arguments)
    assert (code, answer["error"]["code"]) == (1, "file_exists")


def test_a_package_whose_last_line_has_no_end_keeps_it(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package_file = project / "data_migrations" / "__init__.py"
    package_file.parent.mkdir()
    package_file.write_text("FIRST = 1")
    new(capsys, "move_notes", "--app", "shop", "--source", "LegacyNote")
    assert package_file.read_text().splitlines() == [
        "FIRST = 1",
        "from begun_shop.data_migrations import move_notes as move_notes",
    ]


def test_files_that_cannot_be_written_are_told(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "data_migrations").touch()
    code, answer = new(capsys, "move_notes", "--app", "shop", "--source", "LegacyNote")
    assert (code, answer["error"]["code"]) == (1, "not_written")


def test_a_single_module_is_left_alone(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "data_migrations.py").touch()
    code, answer = new(capsys, "move_notes", "--app", "shop", "--source", "LegacyNote")
    assert (code, answer["error"]["code"]) == (1, "no_package")
