"""``generate_legacy`` of the contest trainer: files that fit together and show every rule."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from migrations_tools.imports.readers.base import Record
from migrations_tools.imports.readers.documents import DocumentParser
from migrations_tools.imports.values import document_json
from migrations_tools.selectors.summary import summarise
from migrations_tools.services import runs
from sessions_app.contests.notes import SENTENCES
from sessions_app.contests.reading import read_document
from sessions_app.legacy_generators.contests import (
    generate_problems,
    generate_sessions,
    generate_users,
)
from sessions_app.models import Problem
from tests.migrations_tools.imports.importing import import_file
from tests.sessions_app.contest_files import NAME, actor, carry, failed_checks, outcomes


def generated(generate: Callable[..., Any], path: Path, **arguments: Any) -> list[dict[str, Any]]:
    [number] = generate(path, **{"seed": 1, "defects": 0.0} | arguments).values()
    documents = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert len(documents) == number == arguments["rows"]
    return documents


@pytest.mark.parametrize("generate", [generate_problems, generate_users, generate_sessions])
def test_the_same_arguments_give_the_same_file(tmp_path, generate):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        generate(tmp_path / name, rows=60, seed=seed, defects=0.4)
    first, again, other = ((tmp_path / name).read_bytes() for name in "abc")
    assert first == again != other
    assert generated(generate, tmp_path / "none", rows=0) == []


def test_clean_files_fit_together(tmp_path):
    users = generated(generate_users, tmp_path / "users", rows=10)
    sessions = generated(generate_sessions, tmp_path / "sessions", rows=200)
    ids = {user["username"]: user["_id"]["$oid"] for user in users}
    for number, document in enumerate(sessions, 1):
        assert document["user_id"] == ids[document["username"]]
        record = DocumentParser().parse(json.dumps(document), number)
        assert isinstance(record, Record)
        assert list(read_document(json.loads(document_json(record.values))).notes) == []


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_two_thousand_sessions_with_every_defect(tmp_path):
    for kind, generate, rows in (
        ("problems", generate_problems, 110),
        ("contest_users", generate_users, 60),
        ("contest_sessions", generate_sessions, 2_000),
    ):
        generate(tmp_path / kind, rows=rows, seed=3, defects=0.6)
        import_file(kind, tmp_path / kind)
    assert Problem.objects.count() < 110
    dry_run = runs.dry_run(NAME, options={}, tuning={}, **actor())
    assert dry_run is not None
    forecast = summarise(dry_run)
    summary = carry()
    for what in ("total", "outcomes", "warnings", "codes"):
        assert summary[what] == forecast[what]
    assert outcomes(summary)["applied"] > 1_800
    assert set(summary["warnings"]) == set(SENTENCES)
    assert set(summary["codes"]) == {
        "duplicate_session",
        "invalid_document",
        "invalid_is_correct",
    }
    assert failed_checks() == {}
