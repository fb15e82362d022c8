"""``generate_legacy collaboration``: what is in the file."""

from __future__ import annotations

import json
import tracemalloc
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from sessions_app.data_migrations.collaboration_documents import RowKind, read_row
from sessions_app.legacy_generators.collaboration import generate_collaboration
from sessions_app.reading.collaboration import email_of, session_id_of
from tests.sessions_app.data_migrations.test_collaboration_weighing import Row


def generated(path: Path, **arguments: Any) -> list[dict[str, Any]]:
    counts = generate_collaboration(path, **{"rows": 3000, "seed": 1, "defects": 0.0} | arguments)
    documents = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert counts == {"sessionmanagements": len(documents)}
    return documents


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    return generated(tmp_path_factory.mktemp("clean") / "clean.json")


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    path = tmp_path_factory.mktemp("faulty") / "faulty.json"
    return generated(path, rows=20_000, defects=1.0)


def by_session(documents: list[dict[str, Any]]) -> dict[Any, list[dict[str, Any]]]:
    sessions: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for found in documents:
        sessions[session_id_of(found["session_id"])].append(found)
    return sessions


@pytest.mark.parametrize("rows", [0, 1, 2, 13, 3000])
@pytest.mark.parametrize("defects", [0.0, 1.0])
def test_there_are_as_many_rows_as_asked(tmp_path: Path, rows: int, defects: float) -> None:
    assert len(generated(tmp_path / "some.json", rows=rows, defects=defects)) == rows


def test_the_same_arguments_give_the_same_file_and_another_seed_another(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        generate_collaboration(tmp_path / name, rows=500, seed=seed, defects=0.3)
    first, second, third = ((tmp_path / name).read_bytes() for name in "abc")
    assert first == second != third


def test_without_defects_every_session_has_one_creation_row_and_clean_values(
    clean: list[dict[str, Any]],
) -> None:
    sessions = by_session(clean)
    assert None not in sessions
    assert 300 < len(sessions) < 900
    warnings: list[Any] = []
    for rows in sessions.values():
        facts = [read_row(Row("x", found | {"uploaded_at": None}), warnings) for found in rows]
        kinds = [fact.kind for fact in facts]
        assert kinds.count(RowKind.CREATION) == 1
        assert set(kinds) <= {RowKind.CREATION, RowKind.INVITATION, RowKind.UPLOAD}
    assert warnings == []
    assert len({found["_id"]["$oid"] for found in clean}) == len(clean)


def test_sessions_that_ran_together_are_mixed_and_names_are_arabic_too(
    clean: list[dict[str, Any]],
) -> None:
    places: dict[Any, list[int]] = defaultdict(list)
    for place, found in enumerate(clean):
        places[found["session_id"]].append(place)
    assert any(max(found) - min(found) > len(found) for found in places.values())
    assert any("جلسة" in (found.get("name") or "") for found in clean)


def test_every_form_of_extended_json_occurs(clean: list[dict[str, Any]]) -> None:
    dates = {type(found["uploaded_at"]["$date"]) for found in clean}
    assert dates == {str, dict, int}


def test_defects_are_those_that_the_rules_speak_of(faulty: list[dict[str, Any]]) -> None:
    examples = {
        "no session": lambda d: session_id_of(d["session_id"]) is None,
        "list as session": lambda d: d["session_id"] == [],
        "number as session": lambda d: type(d["session_id"]) is int,
        "upper case": lambda d: (
            isinstance(d["session_id"], str)
            and len(d["session_id"].strip()) == 36
            and d["session_id"] != d["session_id"].lower()
        ),
        "bad address": lambda d: "email" in d and email_of(d["email"]) is None,
        "bad invitee": lambda d: d.get("invited_email") and not email_of(d["invited_email"]),
        "blank invitee": lambda d: d.get("invited_email", 1) in ("", None),
        "no address": lambda d: "email" not in d,
        "self-invitation": lambda d: (
            isinstance(d.get("email"), str) and d.get("invited_email") == d["email"]
        ),
        "unknown access": lambda d: d.get("access") == "boss",
        "null access": lambda d: "access" in d and d["access"] is None,
        "no access": lambda d: "access" not in d,
        "bad date": lambda d: d.get("uploaded_at") == "2025-02-30",
        "malformed date": lambda d: d.get("uploaded_at") == {"$date": "soon"},
        "no date": lambda d: "uploaded_at" not in d,
        "no time at all": lambda d: "uploaded_at" not in d and isinstance(d["_id"], str),
        "long name": lambda d: isinstance(d.get("name"), str) and len(d["name"]) > 255,
        "name is no text": lambda d: d.get("name") == ["N"],
        "file": lambda d: d.get("file_name") == 5,
    }
    missing = [name for name, holds in examples.items() if not any(map(holds, faulty))]
    assert missing == []


@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    def peak(rows: int) -> int:
        tracemalloc.start()
        try:
            generate_collaboration(tmp_path / "many.json", rows=rows, seed=1, defects=0.1)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(100)  # imports and caches
    assert peak(20_000) < 1.5 * peak(2_000)
