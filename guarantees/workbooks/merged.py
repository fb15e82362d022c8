"""Merged cells: one value that stands for several."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Range:
    """A range of merged cells; rows and columns count from 1."""

    first_row: int
    first_column: int
    last_row: int
    last_column: int


class MergedCells:
    """Fills what merging leaves blank, row after row from the top."""

    def __init__(self, ranges: Iterable[Range]) -> None:
        self._starting: dict[int, list[Range]] = {}
        for found in ranges:
            self._starting.setdefault(found.first_row, []).append(found)
        self._open: list[tuple[Range, object]] = []

    def across(self, row: int, cells: list[object]) -> list[object]:
        """A row of headings: a merged heading is that of all its columns."""
        filled = list(cells)
        for found in self._starting.get(row, ()):
            if found.first_column <= len(cells):
                end = min(found.last_column, len(cells))
                heading = cells[found.first_column - 1]
                filled[found.first_column - 1 : end] = [heading] * (end - found.first_column + 1)
        return filled

    def last_row_of(self, row: int) -> int:
        """The last row that a heading which begins in ``row`` reaches down to."""
        return max((found.last_row for found in self._starting.get(row, ())), default=row)

    def down(self, row: int, cells: list[object]) -> set[int]:
        """Fill in ``cells`` what stands above in a merged range; which of them were filled.

        Rows come in their order; blank ones may be left out.
        """
        if not self._open and row not in self._starting:
            return set()
        filled = set()
        for found, value in self._open:
            place = found.first_column - 1
            if found.last_row >= row and place < len(cells) and cells[place] is None:
                cells[place] = value
                filled.add(place)
        for found in self._starting.get(row, ()):
            if found.last_row > row and found.first_column <= len(cells):
                self._open.append((found, cells[found.first_column - 1]))
        self._open = [entry for entry in self._open if entry[0].last_row > row]
        return filled
