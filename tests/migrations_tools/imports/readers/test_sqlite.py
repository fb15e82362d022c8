"""SQLite files: hostile, damaged, locked, and as old programs really wrote them."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from migrations_tools.exceptions import ImportRefused
from migrations_tools.imports.readers import open_source
from migrations_tools.imports.readers.base import MAX_ROW, Item
from tests.migrations_tools.imports.readers.reading import read, rejections, values, write


def database(path: Path, *statements: str) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    return path


def refusal(path: Path) -> str:
    with pytest.raises(ImportRefused) as refused:
        read(path)
    return refused.value.code


def rows_of(path: Path, table: str) -> list[Item]:
    with closing(open_source(path)) as source:
        return [item for found in source.tables() if found.name == table for item in found]


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = database(tmp_path / "large.db", "CREATE TABLE t (id, text)")
    with closing(sqlite3.connect(path)) as connection:
        connection.executemany("INSERT INTO t VALUES (?, ?)", ((n, "x" * 200) for n in range(5000)))
        connection.commit()
    return path


def test_rows_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    path = database(
        tmp_path / "a.db",
        "CREATE TABLE t (id INTEGER, name TEXT, amount REAL, raw BLOB)",
        "CREATE INDEX names ON t (name, id, amount, raw)",
        "INSERT INTO t (rowid, id, name, amount, raw) VALUES (7, 1, 'z', 1.5, x'00ff')",
        "INSERT INTO t (rowid, id, name) VALUES (-3, NULL, 'a')",
    )
    assert [(item.line, *item.values.values()) for item in read(path)] == [  # type: ignore[union-attr]
        (-3, None, "a", None, None),
        (7, 1, "z", 1.5, b"\x00\xff"),
    ]


def test_only_plain_tables_and_stored_columns_are_read(tmp_path: Path) -> None:
    path = database(
        tmp_path / "a.db",
        "CREATE TABLE t (id INTEGER, twice AS (id * 2), kept AS (id * 3) STORED)",
        "CREATE VIEW v AS SELECT * FROM t",
        "CREATE VIRTUAL TABLE f USING fts5(text)",
        "CREATE TABLE u (id INTEGER PRIMARY KEY, rowid, oid, _rowid_) WITHOUT ROWID",
        "CREATE TABLE w (rowid, oid, _rowid_)",
        "INSERT INTO t VALUES (1)",
        "INSERT INTO u VALUES (5, 'a', 'b', 'c')",
        "INSERT INTO w VALUES ('a', 'b', 'c')",
    )
    with closing(open_source(path)) as source:
        found = {table.name: [item.values for item in table] for table in source.tables()}  # type: ignore[union-attr]
    assert found == {
        "t": [{"id": 1, "kept": 3}],
        "u": [{"id": 5, "rowid": "a", "oid": "b", "_rowid_": "c"}],
        "w": [{"rowid": "a", "oid": "b", "_rowid_": "c"}],
    }


def test_names_are_quoted(tmp_path: Path) -> None:
    path = database(
        tmp_path / 'odd "name" ?#.db',
        'CREATE TABLE "a ""b"";--" ("x ""y""" TEXT)',
        'INSERT INTO "a ""b"";--" VALUES (1)',
    )
    assert values(rows_of(path, 'a "b";--')) == [{'x "y"': "1"}]


def test_text_in_other_encodings(tmp_path: Path) -> None:
    path = database(tmp_path / "a.db", "CREATE TABLE t (id INTEGER, name TEXT)")
    texts = ["good", "بنك".encode("cp1256"), b"\xff\xfe", "بنك".encode(), b"a\x00b"]
    with closing(sqlite3.connect(path)) as connection:
        for n, text in enumerate(texts):
            connection.execute("INSERT INTO t VALUES (?, CAST(? AS TEXT))", (n, text))
        connection.commit()
    items = read(path)
    assert values(items) == [
        {"id": 0, "name": "good"},
        {"id": 1, "name": "بنك"},
        {"id": 3, "name": "بنك"},
        {"id": 4, "name": "a\x00b"},
    ]
    assert rejections(items) == [(3, "invalid_encoding")]


def test_a_database_in_utf_16(tmp_path: Path) -> None:
    path = database(
        tmp_path / "a.db",
        "PRAGMA encoding = 'UTF-16le'",
        "CREATE TABLE t (name TEXT)",
        "INSERT INTO t VALUES ('بنك')",
    )
    assert values(read(path)) == [{"name": "بنك"}]


def test_a_value_that_is_too_large_loses_one_row(tmp_path: Path) -> None:
    path = database(
        tmp_path / "a.db",
        "CREATE TABLE t (id, text)",
        "INSERT INTO t VALUES (1, 'a')",
        f"INSERT INTO t VALUES (2, zeroblob({MAX_ROW + 1}))",
        "INSERT INTO t VALUES (3, 'c')",
    )
    items = read(path)
    assert [row["id"] for row in values(items)] == [1, 3]
    assert rejections(items) == [(2, "row_too_large")]


def test_a_database_that_is_cut_off(large: Path, tmp_path: Path) -> None:
    content = large.read_bytes()
    for length in (len(content) - 1, len(content) // 2, 4096, 50, 17):
        assert refusal(write(tmp_path / "cut.db", content[:length])) in {
            "truncated_file",
            "damaged_database",
            "not_a_database",
        }


def test_a_database_with_garbage_inside(large: Path, tmp_path: Path) -> None:
    content = bytearray(large.read_bytes())
    content[4096 * 3 : 4096 * 8] = b"\x5a" * (4096 * 5)
    assert refusal(write(tmp_path / "damaged.db", bytes(content))) == "damaged_database"


def test_garbage_behind_the_magic(tmp_path: Path) -> None:
    assert refusal(write(tmp_path / "a.db", b"SQLite format 3\x00" + b"x" * 5000)) in {
        "not_a_database",
        "truncated_file",
    }


@pytest.fixture
def locked(large: Path) -> Iterator[Path]:
    """Another process is in the middle of writing."""
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); "
            "c.execute('BEGIN EXCLUSIVE'); print('locked', flush=True); sys.stdin.read()",
            str(large),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "locked\n"
    yield large
    holder.communicate()


def test_a_database_that_another_process_has_locked(locked: Path) -> None:
    assert refusal(locked) == "database_locked"


def test_a_write_ahead_database_is_read_without_leaving_files(tmp_path: Path) -> None:
    path = database(
        tmp_path / "a.db",
        "PRAGMA journal_mode = WAL",
        "CREATE TABLE t (id)",
        "INSERT INTO t VALUES (1)",
    )
    assert values(read(path)) == [{"id": 1}]
    assert [file.name for file in tmp_path.iterdir()] == ["a.db"]


def test_a_write_ahead_log_beside_the_database_is_read(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE t (id)")
        connection.execute("INSERT INTO t VALUES (1)")
        connection.commit()
        copied = tmp_path / "copy"
        copied.mkdir()
        for name in ("a.db", "a.db-wal"):
            shutil.copy(tmp_path / name, copied / name)
    assert values(read(copied / "a.db")) == [{"id": 1}]


def test_reading_changes_nothing(large: Path) -> None:
    before = large.read_bytes()
    read(large)
    assert large.read_bytes() == before
    assert [file.name for file in large.parent.iterdir()] == ["large.db"]
