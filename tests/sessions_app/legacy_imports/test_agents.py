"""Projects, sessions and events of the agents' old system, in every shape they come in."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from migrations_tools.models import LegacyImport
from sessions_app.models import UNASSIGNED_ID, ActivityEvent, Project, Session
from tests.migrations_tools.imports.importing import counts, import_file, lines
from tests.sessions_app.factories import ProjectFactory, SessionFactory

pytestmark = pytest.mark.django_db

P1, P2 = uuid.UUID(int=0xA1), uuid.UUID(int=0xB2)
S1 = "5B2C9A5E-1C1F-4E57-9E57-0A8F0C6C1D2E"


def rejected(done: LegacyImport) -> list[tuple[int, str]]:
    return list(done.rejected_lines.order_by("line").values_list("line", "code"))


def import_lines(kind: str, tmp_path: Path, *rows: Any) -> LegacyImport:
    return import_file(kind, lines(tmp_path / f"{kind}.jsonl", *rows))


# ------------------------------------------------------------------------------------- projects


def test_projects_keep_their_ids_and_get_known_words(tmp_path: Path) -> None:
    done = import_lines(
        "projects",
        tmp_path,
        {"id": str(P1).upper(), "name": " Atlas ", "status": "ACTIVE", "is_primary": True},
        {"id": f"{{{P2}}}", "name": "Borealis", "status": "closed", "created_at": "2024-05-01"},
        {"id": "6" * 32, "name": "Ceres", "status": "who knows", "is_primary": "yes"},
    )
    assert counts(done) == (3, 0, 0, 0)
    atlas, borealis, ceres = Project.objects.real().order_by("name")
    assert (atlas.pk, atlas.name, atlas.status, atlas.is_primary) == (P1, "Atlas", "active", True)
    assert (borealis.status, borealis.created_at) == ("archived", datetime(2024, 5, 1, tzinfo=UTC))
    assert (ceres.status, ceres.is_primary) == ("active", False)  # the first primary one counts
    assert atlas.history.get().history_change_reason == f"import {done.pk}"


def test_projects_without_id_or_name_or_with_a_name_that_is_taken_are_rejected(
    tmp_path: Path,
) -> None:
    ProjectFactory.create(name="Here")
    done = import_lines(
        "projects",
        tmp_path,
        {"id": "not a uuid", "name": "A"},
        {"name": "B"},
        {"id": str(P1), "name": "   "},
        {"id": str(P1), "name": "Atlas"},
        {"id": str(P2), "name": "Atlas"},
        {"id": str(P2), "name": "Here"},
        {"id": str(P2), "name": "__unassigned__"},
    )
    assert rejected(done) == [
        (1, "invalid_id"),
        (2, "id_missing"),
        (3, "name_missing"),
        (5, "name_taken"),
        (6, "name_taken"),
        (7, "name_taken"),
    ]
    assert set(Project.objects.real().values_list("name", flat=True)) == {"Here", "Atlas"}


def test_the_sentinel_is_there_after_every_import_and_nothing_renames_it(tmp_path: Path) -> None:
    Project.objects.filter(pk=UNASSIGNED_ID).delete()
    done = import_lines("projects", tmp_path, {"id": str(UNASSIGNED_ID), "name": "Nowhere"})
    assert counts(done) == (0, 0, 1, 0)
    assert Project.objects.get(pk=UNASSIGNED_ID).name == "__unassigned__"


def test_projects_follow_the_file_until_somebody_edits_them(tmp_path: Path) -> None:
    rows = [{"id": str(P1), "name": "Atlas"}, {"id": str(P2), "name": "Borealis"}]
    import_lines("projects", tmp_path, *rows)
    assert counts(import_lines("projects", tmp_path, *rows)) == (0, 0, 2, 0)
    edited = Project.objects.get(pk=P1)
    edited.status = "paused"
    edited.save()
    rows = [{**row, "name": f"{row['name']} 2"} for row in rows]
    assert counts(import_lines("projects", tmp_path, *rows)) == (0, 1, 1, 0)
    names = Project.objects.real().order_by("name").values_list("name", "status")
    assert list(names) == [("Atlas", "paused"), ("Borealis 2", "active")]


# ------------------------------------------------------------------------------------- sessions


def test_a_session_is_taken_over_with_what_no_column_holds(tmp_path: Path) -> None:
    ProjectFactory.create(pk=P1)
    done = import_lines(
        "agent_sessions",
        tmp_path,
        {
            "id": S1,
            "project_id": str(P1).upper(),
            "agent_type": "coder",
            "started_at": "2025-01-02T03:04:05+03:00",
            "ended_at": None,
            "title": "Tidy up",
            "description": "all of it",
            "metadata": {"branch": "main"},
            "status": "active",
            "last_activity_at": "2025-01-02 04:00:00",
            "host": "example.com",
        },
    )
    assert counts(done) == (1, 0, 0, 0)
    session = Session.objects.get()
    assert (session.session_id, session.kind, session.status) == (S1.lower(), "agent", "active")
    assert (session.title, session.description, session.project_id) == ("Tidy up", "all of it", P1)
    assert session.metadata == {"branch": "main", "agent_type": "coder", "host": "example.com"}
    assert session.started_at == datetime(2025, 1, 2, 0, 4, 5, tzinfo=UTC)
    assert session.last_activity_at == datetime(2025, 1, 2, 4, tzinfo=UTC)
    assert session.ended_at is None
    assert session.created_at == session.started_at
    assert session.history.get().history_change_reason == f"import {done.pk}"


@pytest.mark.parametrize(
    ("word", "ended", "status"),
    [
        ("active", "2025-01-02", "active"),  # as written, ended or not
        ("Timed Out", None, "inactive"),
        ("done", None, "completed"),
        ("FAILED", "2025-01-02", "abandoned"),
        ("dreaming", "2025-01-02", "completed"),
        ("dreaming", None, "active"),
        (None, "2025-01-02", "completed"),
        (["active"], None, "active"),
    ],
)
def test_words_of_status(tmp_path: Path, word: Any, ended: str | None, status: str) -> None:
    row = {"id": "s", "status": word, "ended_at": ended}
    assert counts(import_lines("agent_sessions", tmp_path, row)) == (1, 0, 0, 0)
    session = Session.objects.get()
    assert session.status == status
    assert session.metadata.get("status") == (word if word not in (None, "active") else None)


def test_what_cannot_be_read_is_kept_as_written(tmp_path: Path) -> None:
    done = import_lines(
        "agent_sessions",
        tmp_path,
        {"id": "s-1", "started_at": "yesterday", "ended_at": 1_700_000_000, "title": "x" * 300},
        {"id": "s-2", "project_id": str(P1), "metadata": [1, 2], "last_activity_at": "0000-00-00"},
        {"id": "s-3", "project_id": "garbage", "metadata": "not json", "title": {"a": 1}},
        {"id": "s-4", "created_at": "0001-01-01T00:00:00+14:00", "description": "a\0b"},
    )
    assert counts(done) == (4, 0, 0, 0)
    one, two, three, four = Session.objects.order_by("session_id")
    assert one.metadata == {"started_at": "yesterday", "title": "x" * 300}
    assert (one.title, one.ended_at) == ("x" * 255, datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC))
    assert (one.status, one.started_at) == ("completed", None)
    assert two.project_id is None
    assert two.metadata["project_id"] == str(P1)
    assert two.metadata["metadata"] == [1, 2]
    assert two.metadata["last_activity_at"] == "0000-00-00"
    assert three.metadata == {"metadata": "not json", "project_id": "garbage", "title": {"a": 1}}
    assert four.metadata == {"created_at": "0001-01-01T00:00:00+14:00"}
    assert four.description == "a\ufffdb"


def test_sessions_without_a_usable_id_are_rejected_alone(tmp_path: Path) -> None:
    SessionFactory.create(session_id="meeting", kind="collaboration")
    done = import_lines(
        "agent_sessions",
        tmp_path,
        {"title": "no id"},
        {"id": ""},
        {"id": ["a"]},
        {"id": "x" * 256},
        {"id": "a\0b"},
        "{broken",
        {"id": "meeting"},
        {"id": 17},
    )
    assert rejected(done) == [
        (1, "id_missing"),
        (2, "id_missing"),
        (3, "invalid_id"),
        (4, "invalid_id"),
        (5, "invalid_id"),
        (6, "invalid_json"),
        (7, "id_taken"),
    ]
    assert list(Session.objects.filter(kind="agent").values_list("session_id", flat=True)) == ["17"]


def test_the_same_file_again_changes_nothing_and_of_equal_ids_the_last_row_counts(
    tmp_path: Path,
) -> None:
    rows = [{"id": "s", "title": "first"}, {"id": "t"}, {"id": "s", "title": "second"}]
    assert counts(import_lines("agent_sessions", tmp_path, *rows)) == (2, 0, 1, 0)
    assert Session.objects.get(session_id="s").title == "second"
    assert counts(import_lines("agent_sessions", tmp_path, *rows)) == (0, 0, 3, 0)
    assert Session.history.count() == 2


def test_an_orphan_gets_the_project_that_the_file_names_later(tmp_path: Path) -> None:
    row = {"id": "s", "project_id": str(P1)}
    import_lines("agent_sessions", tmp_path, row)
    assert Session.objects.get().project_id is None
    ProjectFactory.create(pk=P1)
    assert counts(import_lines("agent_sessions", tmp_path, row)) == (0, 1, 0, 0)
    session = Session.objects.get()
    assert (session.project_id, session.metadata) == (P1, {})


@pytest.mark.parametrize("through", ["save", "update", "run"])
def test_an_assignment_made_here_outlives_every_import(tmp_path: Path, through: str) -> None:
    project = ProjectFactory.create()
    import_lines("agent_sessions", tmp_path, {"id": "s", "title": "one"})
    session = Session.objects.get()
    if through == "update":
        Session.objects.update(project=project)
    else:
        session.project = project
        session._change_reason = "run 1" if through == "run" else ""  # type: ignore[attr-defined]
        session.save()
    for title in ("one", "two", "three"):
        import_lines("agent_sessions", tmp_path, {"id": "s", "title": title})
    session.refresh_from_db()
    assert session.project == project
    # what a run assigned follows the file in all else; what a person changed does not
    assert session.title == ("three" if through == "run" else "one")


def test_csv_and_json_arrays_hold_the_same(tmp_path: Path) -> None:
    ProjectFactory.create(pk=P1)
    table = tmp_path / "agent_sessions.csv"
    table.write_text(
        "id,project_id,agent_type,started_at,ended_at,title,description,metadata,status,"
        "last_activity_at\n"
        f'{S1},NULL,coder,2025-01-02T00:00:00Z,,Tidy,,"{{""a"": 1}}",active,\n'
        f"s-2,{P1},,,,,,,,\n"
    )
    assert counts(import_file("agent_sessions", table)) == (2, 0, 0, 0)
    array = tmp_path / "array.json"
    array.write_text(
        json.dumps(
            [
                {
                    "id": S1,
                    "agent_type": "coder",
                    "started_at": "2025-01-02T00:00:00Z",
                    "title": "Tidy",
                    "metadata": {"a": 1},
                    "status": "active",
                },
                {"id": "s-2", "project_id": str(P1)},
            ]
        )
    )
    assert counts(import_file("agent_sessions", array)) == (0, 0, 2, 0)
    assert Session.objects.get(session_id=S1.lower()).metadata == {"a": 1, "agent_type": "coder"}


def test_a_cell_of_absurd_depth_costs_nothing_but_itself(tmp_path: Path) -> None:
    deep = "[" * 600 + "]" * 600
    deepest = "[" * 100_000
    table = tmp_path / "agent_sessions.csv"
    table.write_text(f'id,title,metadata\ns-1,one,"{deep}"\ns-2,two,"{deepest}"\n')
    assert counts(import_file("agent_sessions", table)) == (2, 0, 0, 0)
    one, two = Session.objects.order_by("session_id")
    assert (one.title, two.title) == ("one", "two")
    assert two.metadata == {"metadata": deepest}


# --------------------------------------------------------------------------------------- events


def test_events_keep_ids_as_written_and_uuids_in_canonical_form(tmp_path: Path) -> None:
    done = import_lines(
        "activity_events",
        tmp_path,
        {
            "event_id": "E-1",
            "timestamp": "2025-01-02T03:04:05Z",
            "actor": "AI",
            "project_id": str(P1).upper(),
            "session_id": S1,
            "event_type": "edit",
            "payload": {"lines": 3},
            "host": "example.com",
        },
        {"event_id": "e-2", "actor": "ghost", "project_id": "no uuid", "session_id": "nobody"},
        {"event_id": "e-3", "project_id": None, "session_id": "", "payload": "text"},
        {"event_id": "e-4", "timestamp": "soon", "project_id": "p" * 3_000, "session_id": "s"},
    )
    assert counts(done) == (4, 0, 0, 0)
    one, two, three, four = ActivityEvent.objects.order_by("pk")
    assert (one.event_id, one.actor, one.event_type) == ("E-1", "ai", "edit")
    assert (one.project, one.session_ref) == (str(P1), S1.lower())
    assert one.payload == {"lines": 3, "host": "example.com"}
    assert one.occurred_at == datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert (two.actor, two.project, two.session_ref) == ("ghost", "no uuid", "nobody")
    assert (three.project, three.session_ref, three.payload) == (None, None, {"payload": "text"})
    assert four.project is not None
    assert four.project.startswith("sha256:")
    assert four.payload == {"timestamp": "soon", "project_id": "p" * 3_000}


def test_an_event_is_there_once_however_often_it_comes(tmp_path: Path) -> None:
    rows = [{"event_id": "e", "project_id": str(P1)}, {"event_id": "e", "project_id": str(P2)}]
    assert counts(import_lines("activity_events", tmp_path, *rows)) == (1, 0, 1, 0)
    assert ActivityEvent.objects.get().project == str(P2)
    assert counts(import_lines("activity_events", tmp_path, *rows)) == (0, 0, 2, 0)
    assert counts(import_lines("activity_events", tmp_path, rows[0])) == (0, 1, 0, 0)
    assert ActivityEvent.objects.get().project == str(P1)


def test_events_without_an_id_are_rejected_alone(tmp_path: Path) -> None:
    done = import_lines("activity_events", tmp_path, {"session_id": "s"}, [], {"event_id": "e"})
    assert rejected(done) == [(1, "id_missing"), (2, "not_an_object")]
    assert ActivityEvent.objects.count() == 1


def test_every_kind_makes_the_sentinel(tmp_path: Path) -> None:
    for kind in ("projects", "agent_sessions", "activity_events"):
        Project.objects.filter(pk=UNASSIGNED_ID).delete()
        import_lines(kind, tmp_path, {"id": str(P1), "event_id": "e", "name": "Atlas"})
        assert Project.objects.filter(pk=UNASSIGNED_ID).exists(), kind


def test_words_for_nothing_are_ids_of_sessions_and_events_and_no_projects(tmp_path: Path) -> None:
    import_lines("agent_sessions", tmp_path, {"id": "none"}, {"id": "null", "project_id": "null"})
    done = import_lines(
        "activity_events",
        tmp_path,
        {"event_id": "undefined", "session_id": "none", "project_id": "None"},
        {"event_id": " ", "session_id": "none"},
    )
    assert rejected(done) == [(2, "id_missing")]
    assert set(Session.objects.orphans().values_list("session_id", flat=True)) == {"none", "null"}
    event = ActivityEvent.objects.get()
    assert (event.event_id, event.session_ref, event.project) == ("undefined", "none", None)
