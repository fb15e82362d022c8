"""A workbook as rows of guarantees: the right sheet, the row of headings, what stands below."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, TypeVar

from django.utils.translation import gettext, gettext_noop

from guarantees.workbooks import limits
from guarantees.workbooks.cells import is_blank
from guarantees.workbooks.errors import WorkbookRefused
from guarantees.workbooks.headings import Column, column_of
from guarantees.workbooks.merged import MergedCells, Range
from guarantees.workbooks.opening import Format, damaged, guard
from guarantees.workbooks.xls import XlsBook
from guarantees.workbooks.xlsx import XlsxBook
from migrations_tools.exceptions import CarryoverError
from migrations_tools.imports.readers.files import open_regular, sha256_of

T = TypeVar("T")

#: What every row needs; of several columns one is enough.
REQUIRED: Final[Mapping[str, frozenset[Column]]] = {
    gettext_noop("guarantee number"): frozenset({Column.NUMBER}),
    gettext_noop("supplier"): frozenset({Column.SUPPLIER}),
    gettext_noop("bank"): frozenset({Column.BANK}),
    gettext_noop("amount"): frozenset({Column.AMOUNT}),
    gettext_noop("contract or purchase order"): frozenset(
        {Column.CONTRACT, Column.ORDER, Column.CONTRACT_OR_ORDER}
    ),
}
#: Of a cell merged over several rows, each row has these for itself or not at all.
_OWN_VALUES: Final = frozenset({Column.NUMBER, Column.AMOUNT})
_LOOKED_AT: Final = 100  # rows; headings lower down are none


class Sheet(Protocol):
    """A sheet of either format."""

    name: str
    is_visible: bool
    merged: list[Range]
    serial_offset: int

    def scan(self) -> None: ...
    def top(self, count: int) -> Iterator[list[object]]: ...
    def rows(self, width: int) -> Iterator[list[object]]: ...


class Book(Protocol):
    def sheets(self) -> Sequence[Sheet]: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class WorkbookRow:
    """A row of the sheet, ``number`` as Excel counts, with the cells that hold something."""

    number: int
    cells: dict[Column, object]


@dataclass(frozen=True, slots=True)
class _Headings:
    """The row of headings: which columns (from 0) hold what, in their order."""

    row: int
    columns: dict[Column, tuple[int, ...]]
    texts: tuple[object, ...]

    @property
    def missing(self) -> list[str]:
        """What every row needs and no column holds."""
        return [name for name, any_of in REQUIRED.items() if not any_of & self.columns.keys()]

    @property
    def width(self) -> int:
        return max(max(places) for places in self.columns.values()) + 1


class OpenWorkbook:
    """A workbook whose guarantees can be read. ``headings`` are column → heading as written.

    ``serial_offset`` is to be added to days that are mere numbers. ``other_sheets`` have headings
    of guarantees as well; they are not read. ``sha256`` is that of the file, hexadecimal.
    """

    def __init__(
        self,
        name: str,
        sheet: Sheet,
        headings: _Headings,
        others: list[str],
        file: io.BufferedReader,
    ) -> None:
        self._name = name
        self._file = file
        self._stamp = _stamp(file)
        self.sha256 = sha256_of(file)
        self._sheet = sheet
        self._headings = headings
        self.sheet_name = sheet.name
        self.other_sheets = others
        self.serial_offset = sheet.serial_offset
        self.headings = {
            column.value: [str(headings.texts[place]) for place in places]
            for column, places in headings.columns.items()
        }

    def rows(self) -> Iterator[WorkbookRow]:
        """The rows below the headings, without blank ones. Raises WorkbookRefused."""
        return _guarded(self._name, self._rows())

    def require_unchanged(self) -> None:
        """Raises WorkbookRefused where somebody wrote into the file meanwhile."""
        if _stamp(self._file) != self._stamp:
            raise WorkbookRefused(
                gettext("%(name)s was changed while it was read.") % {"name": self._name},
                code="file_changed",
            )

    def _rows(self) -> Iterator[WorkbookRow]:
        headings, merged = self._headings, MergedCells(self._sheet.merged)
        last_heading = merged.last_row_of(headings.row)
        width, count = headings.width, 0
        for number, cells in enumerate(self._sheet.rows(width), 1):
            if number > limits.LAST_ROW:
                raise _too_many_rows(self._name)
            if not cells:
                continue
            repeated = merged.down(number, cells) if number > last_heading else set()
            if number <= last_heading or tuple(cells) == headings.texts[:width]:
                continue
            found = self._found(cells, repeated)
            if not found:
                continue
            count += 1
            if count > limits.ROWS:
                raise _too_many_rows(self._name)
            yield WorkbookRow(number, found)

    def _found(self, cells: list[object], repeated: set[int]) -> dict[Column, object]:
        """Of several columns that hold the same, the first that is not blank counts."""
        found, is_own = {}, False
        for column, places in self._headings.columns.items():
            for place in places:
                if place >= len(cells) or is_blank(cells[place]):
                    continue
                if place in repeated and column in _OWN_VALUES:
                    continue
                found[column] = cells[place]
                is_own = is_own or place not in repeated
                break
        return found if is_own else {}


@contextmanager
def open_workbook(path: Path, *, sheet: str | None = None) -> Iterator[OpenWorkbook]:
    """The workbook at ``path``, or one of its sheets; closed at the end.

    Raises ImportRefused where there is no such file, and WorkbookRefused for what is no workbook,
    may not be let in, is damaged, too large or without the headings of guarantees.
    """
    with open_regular(path) as file:
        kind = guard(file, path.name)
        opener: Callable[[], Book] = (
            (lambda: XlsxBook(file)) if kind is Format.XLSX else (lambda: XlsBook(file))
        )
        book = _attempt(path.name, opener)
        try:
            yield _attempt(path.name, lambda: _chosen(path.name, book, sheet, file))
        finally:
            book.close()


def _stamp(file: io.BufferedReader) -> tuple[int, int]:
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns


def _chosen(name: str, book: Book, asked: str | None, file: io.BufferedReader) -> OpenWorkbook:
    """The sheet asked for, else the first visible one with all headings that are needed."""
    sheets = [found for found in book.sheets() if asked is None or found.name == asked]
    if not sheets and asked is None:
        raise damaged(name)
    if not sheets:
        raise WorkbookRefused(
            gettext("%(name)s has no sheet “%(asked)s”.") % {"name": name, "asked": asked},
            code="no_such_sheet",
        )
    complete: list[tuple[Sheet, _Headings]] = []
    best: tuple[Sheet, _Headings] | None = None
    for sheet in sorted(sheets, key=lambda found: not found.is_visible):
        sheet.scan()
        headings = _headings_of(name, sheet)
        if headings is None:
            continue
        if not headings.missing:
            complete.append((sheet, headings))
        if best is None or len(headings.missing) < len(best[1].missing):
            best = sheet, headings
    if complete:
        (sheet, headings), *others = complete
        return OpenWorkbook(name, sheet, headings, [found.name for found, _ in others], file)
    if best is None:
        raise WorkbookRefused(
            gettext(
                "%(name)s has no row of headings among the first %(heading_rows)s rows "
                "of its sheets, such as “Guarantee number”, “Supplier”, “Bank”, "
                "“Amount”, “Contract”."
            )
            % {"name": name, "heading_rows": limits.HEADING_ROWS},
            code="no_headings",
        )
    raise WorkbookRefused(
        gettext("%(name)s: the sheet “%(sheet)s” has no column for %(listed)s.")
        % {"name": name, "sheet": best[0].name, "listed": _listed(best[1].missing)},
        code="missing_column",
        missing=best[1].missing,
    )


def _headings_of(name: str, sheet: Sheet) -> _Headings | None:
    """The row among the first five with something in it that names the most columns."""
    best: _Headings | None = None
    merged, looked_at = MergedCells(sheet.merged), 0
    for number, cells in enumerate(sheet.top(_LOOKED_AT), 1):
        if looked_at == limits.HEADING_ROWS:
            break
        if len(cells) > limits.COLUMNS:
            raise WorkbookRefused(
                gettext("%(name)s has more than %(columns)s columns.")
                % {"name": name, "columns": f"{limits.COLUMNS:,}"},
                code="too_many_columns",
            )
        if all(is_blank(cell) for cell in cells):
            continue
        looked_at += 1
        texts = merged.across(number, cells)
        columns: dict[Column, tuple[int, ...]] = {}
        for place, text in enumerate(texts):
            column = column_of(text) if isinstance(text, str) else None
            if column is not None:
                columns[column] = (*columns.get(column, ()), place)
        # one word may be meant otherwise; two are headings
        if len(columns) >= 2 and (best is None or len(columns) > len(best.columns)):
            best = _Headings(number, columns, tuple(texts))
    return best


def _attempt(name: str, action: Callable[[], T]) -> T:
    """The answer of a parser; whatever it raises, the file is damaged. Raises WorkbookRefused."""
    try:
        return action()
    except CarryoverError:
        raise
    except Exception as error:  # a parser of hostile files may raise anything
        raise _told(name, error) from error
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # how a reader written in Rust ends
            raise damaged(name) from error
        raise


def _guarded(name: str, rows: Iterator[WorkbookRow]) -> Iterator[WorkbookRow]:
    """The same rows, each fetched as an attempt."""
    end = object()
    while (row := _attempt(name, lambda: next(rows, end))) is not end:
        yield row  # type: ignore[misc]  # it is not the end


def _told(name: str, error: Exception) -> WorkbookRefused:
    if type(error).__name__ == "PasswordError":
        return WorkbookRefused(
            gettext("%(name)s is protected by a password; save it without one.") % {"name": name},
            code="encrypted_workbook",
        )
    return damaged(name)


def _too_many_rows(name: str) -> WorkbookRefused:
    return WorkbookRefused(
        gettext("%(name)s has more than %(rows)s rows; import it in parts.")
        % {"name": name, "rows": f"{limits.ROWS:,}"},
        code="too_many_rows",
    )


def _listed(names: list[str]) -> str:
    told = [gettext(name) for name in names]
    if len(told) == 1:
        return told[0]
    return gettext("%(names)s and %(last)s") % {"names": ", ".join(told[:-1]), "last": told[-1]}
