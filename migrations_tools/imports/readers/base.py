"""What every reader yields, and the limits that hold for all of them (SPEC §7)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

#: Characters of one row; MongoDB's own limit for a document is 16 MiB.
MAX_ROW = 16 * 2**20
#: Objects and lists inside each other; MongoDB's own limit.
MAX_NESTING = 100


class Record(NamedTuple):
    """One row as read.

    ``line`` is the physical line of a text file or the row number of a table, both from 1.
    ``values`` holds str, int, Decimal, float, bool, None, bytes, aware datetimes, lists and dicts.
    ``text`` is the row verbatim, None where the source is no text. ``document`` is JSON text that
    means exactly ``values`` and that JSONB takes, where there is one.
    """

    line: int
    values: dict[str, Any]
    text: str | None
    document: str | None = None


class Rejection(NamedTuple):
    """One row that cannot be used; the others are not touched by it."""

    line: int
    code: str
    detail: str
    text: str = ""


Item = Record | Rejection


class SourceTable(ABC):
    """The rows of one table of a file."""

    #: None where the file itself does not name it (text files)
    name: str | None = None
    #: None where only the rows tell (JSON)
    columns: Sequence[str] | None = None
    #: words that mean null, where all values of a row are text (CSV); the import kind knows them
    null_words: Collection[str] = ()
    #: the row that names the columns, as it is written (CSV)
    heading: str = ""
    #: whether a row keeps its ``line`` from one export to the next (SQLite's rowid)
    lines_identify = False

    @abstractmethod
    def __iter__(self) -> Iterator[Item]: ...

    @abstractmethod
    def position(self) -> float:
        """How much was read, as a share 0–1."""


class Source(ABC):
    """An open file. ``format`` says what it is; ``encoding`` is empty where it is no text."""

    format: str
    encoding: str = ""

    @abstractmethod
    def tables(self) -> Sequence[SourceTable]: ...

    @abstractmethod
    def close(self) -> None: ...
