"""The action "import": one file, one transaction; on record; one at a time."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection, connections

from guarantees.models import ImportSession
from migrations_tools.exceptions import ImportRefused, PermissionRefused
from migrations_tools.imports.service import import_legacy
from migrations_tools.models import LegacyImport, Transition
from migrations_tools.services.actors import system_user
from migrations_tools.states import Surface
from tests.migrations_tools.imports.conftest import Note
from tests.migrations_tools.imports.importing import counts, database, import_file, lines


def refusal(kind: str, *paths: Path, table: str | None = None) -> str:
    with pytest.raises(ImportRefused) as refused:
        import_legacy(kind, paths, table=table, acting_user=system_user(), surface=Surface.COMMAND)
    return refused.value.code


@pytest.mark.usefixtures("staging")
class TestFilesAndTables:
    def test_the_file_and_the_deed_are_on_record(self, tmp_path: Path) -> None:
        path = lines(tmp_path / "notes.jsonl", {"id": 1}, "broken")
        legacy_import = import_file("notes", path)
        assert legacy_import.file_name == "notes.jsonl"
        assert legacy_import.size == path.stat().st_size
        assert legacy_import.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        transition = Transition.objects.get(action="import")
        assert transition.actor == legacy_import.actor == system_user()
        assert transition.surface == Surface.COMMAND
        assert transition.details["legacy_import"] == legacy_import.pk
        assert transition.details["tables"] == {
            "notes": {"imported": 1, "updated": 0, "unchanged": 0}
        }

    def test_the_tables_of_a_database_are_summed_up(self, tmp_path: Path) -> None:
        path = database(
            tmp_path / "a.db",
            {
                "Memos": ("id, headline", [(1, "a")]),
                "OLD_NOTES": ("id, title", [(2, "b"), (3, "c")]),
                "unknown": ("x", [(1,)]),
            },
        )
        legacy_import = import_file("notes", path)
        assert counts(legacy_import) == (3, 0, 0, 0)
        assert dict(Note.objects.values_list("id", "title")) == {1: "a", 2: "b", 3: "c"}

    def test_a_database_without_a_known_table(self, tmp_path: Path) -> None:
        path = database(tmp_path / "a.db", {"others": ("id", [(1,)])})
        assert refusal("notes", path) == "no_known_table"

    def test_a_known_table_may_be_empty(self, tmp_path: Path) -> None:
        path = database(tmp_path / "a.db", {"notes": ("id", [])})
        assert counts(import_file("notes", path)) == (0, 0, 0, 0)

    def test_the_table_of_a_text_file_is_its_name_or_named(self, tmp_path: Path) -> None:
        import_file("notes", lines(tmp_path / "Export Old-Notes 2025.jsonl", {"id": 1}))
        path = lines(tmp_path / "x.jsonl", {"id": 2})
        assert refusal("notes", path) == "unknown_table"
        assert refusal("notes", path, table="nothing") == "unknown_table"
        import_file("notes", path, table="memos")
        assert Note.objects.count() == 2

    def test_a_kind_of_one_table_needs_no_name(self, tmp_path: Path) -> None:
        assert counts(import_file("papers", lines(tmp_path / "x.jsonl", {"id": 2}))) == (1, 0, 0, 0)

    def test_a_csv_without_a_header(self, tmp_path: Path) -> None:
        (tmp_path / "notes.csv").write_text("1,a\n2,b\n")
        assert refusal("notes", tmp_path / "notes.csv") == "no_known_column"

    def test_an_unknown_kind(self, tmp_path: Path) -> None:
        assert refusal("nothing", lines(tmp_path / "a.jsonl", {})) == "unknown_kind"

    def test_nothing_is_imported_where_one_of_several_files_is_refused(
        self, tmp_path: Path
    ) -> None:
        good = lines(tmp_path / "notes.jsonl", {"id": 1})
        assert refusal("notes", good, tmp_path / "none.jsonl") == "file_not_found"
        assert not Note.objects.exists()
        assert not LegacyImport.objects.exists()

    def test_a_file_that_turns_out_damaged_leaves_nothing(self, tmp_path: Path) -> None:
        path = database(
            tmp_path / "notes.db", {"notes": ("id, title", [(n, "x" * 100) for n in range(5000)])}
        )
        content = bytearray(path.read_bytes())
        content[4096 * 60 : 4096 * 70] = b"\x5a" * (4096 * 10)
        path.write_bytes(content)
        assert refusal("notes", path) == "damaged_database"
        assert not Note.objects.exists()
        assert not LegacyImport.objects.exists()

    def test_a_file_that_is_being_written(self, tmp_path: Path) -> None:
        path = lines(tmp_path / "notes.jsonl", {"id": 1})

        def grow(table: str, rows: int, share: float) -> None:
            with path.open("a") as file:
                file.write('{"id": 2}\n')

        with pytest.raises(ImportRefused) as refused:
            import_legacy(
                "notes", [path], acting_user=system_user(), surface="command", progress=grow
            )
        assert refused.value.code == "file_changed"
        assert not Note.objects.exists()

    def test_more_rejected_lines_than_are_kept_in_memory(self, tmp_path: Path) -> None:
        rows = [{"id": n} if n % 2 else "\x00bad" for n in range(5001)]
        legacy_import = import_file("notes", lines(tmp_path / "notes.jsonl", *rows))
        assert counts(legacy_import) == (2500, 0, 0, 2501)
        first = legacy_import.rejected_lines.first()
        assert first is not None
        assert (first.line, first.code, first.text) == (1, "invalid_json", "\ufffdbad")


@pytest.mark.usefixtures("staging")
def test_importing_needs_the_permission_and_a_refusal_is_on_record(tmp_path: Path) -> None:
    clerk = User.objects.create(username="clerk")
    path = lines(tmp_path / "notes.jsonl", {"id": 1})
    with pytest.raises(PermissionRefused):
        import_legacy("notes", [path], acting_user=clerk, surface=Surface.ADMIN)
    assert not Note.objects.exists()
    assert Transition.objects.get().actor == clerk
    clerk.user_permissions.add(Permission.objects.get(codename="import"))
    clerk = User.objects.get(pk=clerk.pk)
    [legacy_import] = import_legacy("notes", [path], acting_user=clerk, surface=Surface.ADMIN)
    assert legacy_import.actor == clerk


@pytest.mark.django_db(transaction=True)
def test_two_imports_of_a_kind_take_turns(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "import_sessions.jsonl", *({"session_type": "excel"} for _ in range(50))
    )
    reading, go_on = threading.Event(), threading.Event()
    done: dict[str, LegacyImport] = {}

    def wait(table: str, rows: int, share: float) -> None:
        reading.set()
        assert go_on.wait(30)

    def run(name: str, progress: object) -> None:
        try:
            [done[name]] = import_legacy(
                "guarantees",
                [path],
                acting_user=system_user(),
                surface="command",
                progress=progress,  # type: ignore[arg-type]
            )
        finally:
            connections.close_all()

    system_user()
    first = threading.Thread(target=run, args=("first", wait))
    second = threading.Thread(target=run, args=("second", None))
    first.start()
    assert reading.wait(30)
    second.start()
    _until_somebody_waits_for_the_lock()
    assert not done
    go_on.set()
    first.join(30)
    second.join(30)
    assert counts(done["first"]) == (50, 0, 0, 0)
    assert counts(done["second"]) == (0, 0, 50, 0)
    assert ImportSession.objects.count() == 50


def _until_somebody_waits_for_the_lock() -> None:
    with connection.cursor() as cursor:
        for _ in range(3000):
            cursor.execute(
                "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database "
                "WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()"
            )
            if cursor.fetchone()[0]:
                return
            cursor.execute("SELECT pg_sleep(0.01)")
    pytest.fail("the second import did not wait")
