"""Rows as lines of PostgreSQL's COPY text, and their way into tables.

The text of a row serves twice: it is what the server reads, and what a content hash is taken of.
https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-FILE-FORMATS
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Final, Self

_NULL: Final = "\\N"
_BLOCK: Final = 2**17  # bytes that are sent at once
_TRUTH: Final = {True: "t", False: "f"}


class NotStorableError(ValueError):
    """A text has signs that no text of PostgreSQL can hold: NUL, or lone surrogates."""


def copy_text(value: Any) -> str | None:
    """A value of a column as COPY reads it, not yet escaped; None is null."""
    if value is None or type(value) is str:
        return value
    if type(value) is int:
        return str(value)
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    return _TRUTH[value] if isinstance(value, bool) else str(value)


def copy_line(texts: Sequence[str | None]) -> bytes:
    """A row as a line without its end. Raises NotStorableError, and TypeError for other values."""
    nulls = texts.count(None)
    line = "\t".join([_NULL if text is None else text for text in texts])
    if line.count("\\") != nulls or line.count("\t") >= len(texts) or "\n" in line or "\r" in line:
        line = "\t".join([_NULL if text is None else _escaped(text) for text in texts])
    try:
        encoded = line.encode()
    except UnicodeEncodeError as error:
        raise NotStorableError from error
    if b"\0" in encoded:
        raise NotStorableError
    return encoded


def _escaped(text: str) -> str:
    """Far faster than ``translate``: nearly no text has any of them."""
    escaped = text.replace("\\", "\\\\").replace("\t", "\\t")
    return escaped.replace("\n", "\\n").replace("\r", "\\r")


def value_line(values: Iterable[Any]) -> bytes:
    """A row of storable values as a line without its end."""
    return copy_line([copy_text(value) for value in values])


class LineWriter:
    """Sends lines by COPY, in blocks; they may go to several tables in turn.

    A context manager: when it ends well, everything has been sent.
    """

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor
        self._waiting: dict[str, bytearray] = {}
        self._statement = ""
        self._under_way = ExitStack()
        self._send: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exception: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exception is None:
            self.finish()
        else:
            self._under_way.__exit__(exception, value, traceback)

    def write(self, statement: str, line: bytes) -> None:
        """One line, with its end, for the COPY that ``statement`` starts."""
        waiting = self._waiting.get(statement)
        if waiting is None:
            waiting = self._waiting[statement] = bytearray()
        waiting += line
        if len(waiting) >= _BLOCK:
            self._put(statement)

    def finish(self) -> None:
        """Send what waits and end the COPY, so that the connection is free for other statements."""
        for statement, waiting in self._waiting.items():
            if waiting:
                self._put(statement)
        self._end()

    def _put(self, statement: str) -> None:
        if statement != self._statement:
            self._end()
            self._send = self._under_way.enter_context(self._cursor.copy(statement)).write
            self._statement = statement
        self._send(bytes(self._waiting[statement]))
        self._waiting[statement].clear()

    def _end(self) -> None:
        self._statement = ""
        self._under_way.close()
