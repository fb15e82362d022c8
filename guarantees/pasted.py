"""Guarantees in pasted text: a table with tabs, or lines of label and value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from guarantees.workbooks.cells import is_blank
from guarantees.workbooks.headings import Column, column_of

Cells = dict[Column, object]

#: A label, a mark, a value. Labels have no digits, so that a time of day is none.
_LABELLED: Final = re.compile(r"(?:[-•*]\s*)?([^\W\d][^:：=\t0-9]{0,80}?)\s*[:：=\t](.*)")
_INVISIBLE: Final = str.maketrans("", "", "\u200e\u200f\u202a\u202b\u202c\ufeff")


def read_pasted(text: str) -> list[Cells]:
    """What the text says, a dictionary for each guarantee; empty where nothing is understood.

    A table has a row of headings first, as it is copied from Excel. Otherwise each line is a label
    and its value; a blank line, or a label that comes again, begins the next guarantee. A label
    with several words may be in either language, or both.
    """
    lines = text.translate(_INVISIBLE).splitlines()
    return _table(lines) or _labelled(lines)


def _table(lines: list[str]) -> list[Cells]:
    rows = [line.split("\t") for line in lines if line.strip()]
    if len(rows) < 2:
        return []
    columns = [column_of(heading) for heading in rows[0]]
    known = [column for column in columns if column is not None]
    # "Number<tab>LG-1" over "Supplier<tab>S" is a list of labels, not a table
    if len(set(known)) < 2 or len(known) <= len(rows[0]) // 2:
        return []
    found = []
    for row in rows[1:]:
        cells: Cells = {}
        for column, cell in zip(columns, row, strict=False):
            if column is not None and not is_blank(cell):
                cells.setdefault(column, cell.strip())
        if cells:
            found.append(cells)
    return found


def _labelled(lines: list[str]) -> list[Cells]:
    found: list[Cells] = [{}]
    seen: set[Column] = set()
    for line in lines:
        if not line.strip():
            if Column.NUMBER in found[-1]:
                found.append({})
                seen = set()
            continue
        labelled = _LABELLED.fullmatch(line.strip())
        column = column_of(labelled[1]) if labelled else None
        if labelled is None or column is None:
            continue
        if column is Column.NUMBER and column in seen:
            found.append({})
            seen = set()
        seen.add(column)
        if not is_blank(labelled[2]):
            found[-1].setdefault(column, labelled[2].strip())
    return [cells for cells in found if cells]


def cells_of(values: Mapping[str, object]) -> tuple[Cells, list[str]]:
    """Fields of a form as cells, and the names that are none.

    A field is called as a column is, such as ``expiry_date``, or by a heading of one, such as
    ``guarantee_number``. ``related_to`` says whether ``contract_number`` is that of an order.
    """
    cells: Cells = {}
    unknown = []
    for name, value in values.items():
        if name == "related_to":
            continue
        column = Column(name) if name in set(Column) else column_of(name)
        if column is None:
            unknown.append(name)
        elif not is_blank(value):
            cells.setdefault(column, value)
    if values.get("related_to") == Column.ORDER.value and Column.CONTRACT in cells:
        cells.setdefault(Column.ORDER, cells.pop(Column.CONTRACT))
    return cells, unknown
