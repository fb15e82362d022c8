"""SQLite database files, read without trusting anything in them.

Opened read-only; functions and views of the file are never run: only plain tables are read
(https://www.sqlite.org/security.html). Nothing is written beside the file either.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.utils.translation import gettext, gettext_noop

from migrations_tools.engine.sql import quoted
from migrations_tools.exceptions import ImportRefused
from migrations_tools.imports.readers.base import (
    MAX_ROW,
    Item,
    Record,
    Rejection,
    Source,
    SourceTable,
)
from migrations_tools.imports.readers.text import windows_1256

_LOCK_TIMEOUT = 2.0  # seconds that another program's transaction is waited for
_ROW_NUMBER_NAMES = ("rowid", "_rowid_", "oid")
# of PRAGMA table_xinfo: ordinary columns and stored generated ones
_STORED = (0, 3)


class SqliteFile(Source):
    """All tables are read in one read transaction: what another program writes is not seen."""

    format = "SQLite"

    def __init__(self, path: Path, head: bytes) -> None:
        self.path = path
        _refuse_truncated(path, head)
        with self.refusing():
            self._connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?{_open_mode(path, head)}",
                uri=True,
                timeout=_LOCK_TIMEOUT,
                isolation_level=None,
            )
            try:
                self._protect()
                self._tables = [SqliteTable(self, *table) for table in self._plain_tables()]
            except BaseException:
                self._connection.close()
                raise

    def tables(self) -> Sequence[SqliteTable]:
        return self._tables

    def close(self) -> None:
        self._connection.close()

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> sqlite3.Cursor:
        return self._connection.execute(statement, parameters)

    def decode_with(self, text_factory: Any) -> None:
        self._connection.text_factory = text_factory

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """SQLite's errors as refusals that say what to do."""
        try:
            yield
        except sqlite3.Error as error:
            name = str(getattr(error, "sqlite_errorname", ""))
            for prefix, (code, sentence) in _REFUSALS.items():
                if name.startswith(prefix):
                    raise ImportRefused(f"{self.path} {gettext(sentence)}", code=code) from error
            raise ImportRefused(
                gettext("%(path)s cannot be read: %(error)s.")
                % {"path": self.path, "error": error},
                code="damaged_database",
            ) from error

    def _protect(self) -> None:
        self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_ROW)
        for pragma in ("trusted_schema = OFF", "query_only = ON", "cell_size_check = ON"):
            self.execute(f"PRAGMA {pragma}")
        self.execute("BEGIN")

    def _plain_tables(self) -> Iterator[tuple[str, list[str], bool]]:
        """Name, stored columns, and whether rows are numbered, of each plain table."""
        for _, name, kind, _, without_rowid, _ in self.execute("PRAGMA main.table_list").fetchall():
            if kind != "table" or name.lower().startswith("sqlite_"):
                continue
            columns = self.execute(f"PRAGMA main.table_xinfo({quoted(name)})").fetchall()
            yield name, [column[1] for column in columns if column[6] in _STORED], not without_rowid


class SqliteTable(SourceTable):
    """The rows of a plain table in the order of their row numbers."""

    def __init__(self, file: SqliteFile, name: str, columns: list[str], numbered: bool) -> None:
        self.name = name
        self.columns: list[str] = columns
        self._file = file
        self._from = f"FROM main.{quoted(name)}"
        taken = {column.lower() for column in columns}
        free = (alias for alias in _ROW_NUMBER_NAMES if numbered and alias not in taken)
        self._row_number = next(free, None)
        self.lines_identify = self._row_number is not None
        self._sound = True
        self._line = 0
        self._last_line = 0

    def position(self) -> float:
        return self._line / self._last_line if self._last_line else 0.0

    def __iter__(self) -> Iterator[Item]:
        self._sound = True
        with self._file.refusing():
            if self._row_number is None:
                self._file.decode_with(self._decode)
                yield from self._read_unnumbered()
                return
            last = self._file.execute(f"SELECT max({self._row_number}) {self._from}").fetchone()
            self._line, self._last_line = -(2**63), last[0] or 0
            self._file.decode_with(str)
            while True:
                try:
                    yield from self._read_numbered()
                    return
                except sqlite3.DataError as error:
                    _only("SQLITE_TOOBIG", error)
                    self._file.decode_with(self._decode)
                    yield from self._read_one()
                except sqlite3.OperationalError as error:  # no UTF-8: go on with that row
                    if not str(error).startswith("Could not decode"):
                        raise
                    self._file.decode_with(self._decode)

    def _read_numbered(self, limit: int = -1) -> Iterator[Item]:
        """The rows after the last one read."""
        number, names = self._row_number, ", ".join(map(quoted, self.columns))
        rows = self._file.execute(
            f"SELECT {names}, {number} {self._from} WHERE {number} > ? ORDER BY {number} LIMIT ?",
            [self._line, limit],
        )
        columns = self.columns
        for row in rows:
            self._line = line = row[-1]
            named = dict(zip(columns, row, strict=False))
            yield Record(line, named, None) if self._sound else self._unsound(line, named)

    def _read_one(self) -> Iterator[Item]:
        """The next row alone. The library reads one ahead: it may be a good one or too large."""
        try:
            yield from self._read_numbered(limit=1)
        except sqlite3.DataError as error:
            _only("SQLITE_TOOBIG", error)
            yield self._too_large()

    def _read_unnumbered(self) -> Iterator[Item]:
        names = ", ".join(map(quoted, self.columns))
        for line, row in enumerate(self._file.execute(f"SELECT {names} {self._from}"), 1):
            named = dict(zip(self.columns, row, strict=True))
            yield Record(line, named, None) if self._sound else self._unsound(line, named)

    def _unsound(self, line: int, named: dict[str, Any]) -> Rejection:
        self._sound = True
        detail = gettext("A text of the row is neither UTF-8 nor Windows-1256.")
        return Rejection(line, "invalid_encoding", detail, repr(named))

    def _too_large(self) -> Rejection:
        """The row after the last one read, which is longer than anything sensible."""
        number = self._row_number
        self._line = self._file.execute(
            f"SELECT min({number}) {self._from} WHERE {number} > ?", [self._line]
        ).fetchone()[0]
        detail = gettext("A value of the row is longer than %(max_row)s MiB.") % {
            "max_row": MAX_ROW // 2**20
        }
        return Rejection(self._line, "row_too_large", detail)

    def _decode(self, raw: bytes) -> str:
        try:
            return str(raw, "utf-8")
        except UnicodeDecodeError:
            text = windows_1256(raw)
            self._sound &= text is not None
            return raw.decode("utf-8", "replace") if text is None else text


def _only(name: str, error: sqlite3.Error) -> None:
    """Raise any error but the one that is called ``name``."""
    if getattr(error, "sqlite_errorname", "") != name:
        raise error


_REFUSALS = {
    "SQLITE_BUSY": (
        "database_locked",
        gettext_noop(
            "is locked by another program. Close that program, or import a copy of the file."
        ),
    ),
    "SQLITE_LOCKED": ("database_locked", gettext_noop("is locked by another program.")),
    "SQLITE_NOTADB": ("not_a_database", gettext_noop("is no SQLite database, or it is encrypted.")),
    "SQLITE_CORRUPT": (
        "damaged_database",
        gettext_noop(
            "is damaged or cut off: its content does not hold together. Export or copy it again."
        ),
    ),
    "SQLITE_READONLY": (
        "unfinished_transaction",
        gettext_noop(
            "holds a transaction that was never finished. Open it once with the program it belongs "
            "to, then copy it again."
        ),
    ),
    "SQLITE_CANTOPEN": ("file_unreadable", gettext_noop("cannot be opened.")),
    "SQLITE_IOERR": ("file_unreadable", gettext_noop("cannot be read from its disk.")),
}


def _open_mode(path: Path, head: bytes) -> str:
    """Read-only; and a write-ahead database without its log as unchanging.

    Otherwise SQLite would create a log and an index beside the file, and leave them there.
    """
    write_ahead = head[18:20] == b"\x02\x02"
    log = path.with_name(path.name + "-wal")
    return "mode=ro&immutable=1" if write_ahead and not log.exists() else "mode=ro"


def _refuse_truncated(path: Path, head: bytes) -> None:
    """Compare the length that the header tells with that of the file.

    SQLite itself would notice only when it comes to a page that is missing.
    https://www.sqlite.org/fileformat.html#in_header_database_size
    """
    page_size = int.from_bytes(head[16:18], "big")
    pages = int.from_bytes(head[28:32], "big")
    header_is_current = head[24:28] == head[92:96]
    expected = pages * (65536 if page_size == 1 else page_size)
    if header_is_current and path.stat().st_size < expected:
        raise ImportRefused(
            gettext(
                "%(path)s is cut off: %(st_size)s of %(expected)s bytes are there. Copy it again."
            )
            % {"path": path, "st_size": f"{path.stat().st_size:,}", "expected": f"{expected:,}"},
            code="truncated_file",
        )
