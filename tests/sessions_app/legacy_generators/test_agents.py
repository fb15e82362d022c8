"""Generated files of the agents' old system fit together and hold every case."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from migrations_tools.generators import generate_file
from migrations_tools.selectors.summary import summarise
from sessions_app.models import ActivityEvent, Project, Session
from tests.migrations_tools.imports.importing import import_file
from tests.sessions_app.data_migrations.orphans import carry_over, failed_checks, outcomes

KINDS = {"projects": 20, "agent_sessions": 130, "activity_events": 1_170}


def generate(folder: Path, **arguments: Any) -> dict[str, Path]:
    paths = {kind: folder / f"{kind}.jsonl" for kind in KINDS}
    for kind, path in paths.items():
        given = {"rows": KINDS[kind], "seed": 7, "defects": 0.0, **arguments}
        assert generate_file(kind, path, force=True, **given) == {kind: given["rows"]}
    return paths


def test_the_same_seed_gives_the_same_files_and_another_one_others(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    for folder in (first, second):
        folder.mkdir()
        generate(folder, defects=0.3)
    for kind in KINDS:
        assert (first / f"{kind}.jsonl").read_text() == (second / f"{kind}.jsonl").read_text()
    before = (first / "projects.jsonl").read_text()
    generate(first, seed=8)
    assert (first / "projects.jsonl").read_text() != before


def test_more_rows_begin_with_the_fewer(tmp_path: Path) -> None:
    for kind in KINDS:
        few, many = tmp_path / "few", tmp_path / "many"
        for path, rows in ((few, 20), (many, 60)):
            generate_file(kind, path, rows=rows, seed=1, defects=0.2, force=True)
        assert many.read_text().startswith(few.read_text())
        assert len(many.read_text().splitlines()) == 60


@pytest.mark.django_db(transaction=True)
def test_clean_files_import_whole_and_every_row_of_the_table_occurs(tmp_path: Path) -> None:
    for kind, path in generate(tmp_path).items():
        done = import_file(kind, path)
        assert (done.imported, done.rejected) == (KINDS[kind], 0)
    assert Project.objects.real().count() == 20
    assert Session.objects.filter(project__isnull=False).exists()
    assert not ActivityEvent.objects.exclude(
        session_ref__in=Session.objects.values("session_id")
    ).exists()
    summary = summarise(carry_over())
    assert set(summary["categories"]) == {"confident", "tentative", "manual_review", "unassigned"}
    assert set(summary["warnings"]) == {
        "low_evidence",
        "multiple_projects",
        "manual_review",
        "inactive_target",
        "PROJECT_INACTIVE",
    }
    assert summary["outcomes"]["quarantined"] == 0


@pytest.mark.django_db(transaction=True)
def test_files_full_of_defects_are_carried_over_as_far_as_they_can_be(tmp_path: Path) -> None:
    for kind, path in generate(tmp_path, defects=0.3).items():
        done = import_file(kind, path)
        assert 0 < done.rejected < KINDS[kind] / 4
        again = import_file(kind, path)
        assert (again.imported, again.updated) == (0, 0)
    run = carry_over()
    assert outcomes(run)["quarantined"] > 0
    assert set(summarise(run)["codes"]) == {"PROJECT_NOT_FOUND"}
    assert failed_checks() == {}


def test_defects_are_as_many_as_asked(tmp_path: Path) -> None:
    clean = generate(tmp_path)["activity_events"].read_text().splitlines()
    spoilt = generate(tmp_path, defects=1.0)["activity_events"].read_text().splitlines()
    assert sum(one != other for one, other in zip(clean, spoilt, strict=True)) > len(clean) * 0.9
    assert all(isinstance(json.loads(line), dict) for line in spoilt)
