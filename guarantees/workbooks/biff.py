"""The records of an .xls, as far as its reader does not tell: how large a sheet is before it is
read in one piece, and which of its cells show errors.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

_SHEET, _BEGIN, _FINISH = 0x0085, 0x0809, 0x000A
_FORMULA, _ERROR = 0x0006, 0x0205
#: Records of cells with something in them; they begin with the row and the column.
_CELLS: Final = frozenset({_FORMULA, 0x00BD, 0x00D6, 0x00FD, 0x0203, 0x0204, _ERROR, 0x027E})
_SHOWN: Final = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
}


@dataclass(slots=True)
class SheetFacts:
    """Of one sheet: rows and columns up to the last cell, and errors as row → column → text.

    Rows and columns of errors count from 0.
    """

    height: int = 0
    width: int = 0
    errors: dict[int, dict[int, str]] = field(default_factory=dict)


def read_facts(stream: bytes) -> list[SheetFacts]:
    """The sheets in the order of the workbook. Raises ValueError where records are cut short."""
    try:
        offsets = [
            struct.unpack_from("<I", stream, start)[0]
            for kind, start in _records(stream, 0)
            if kind == _SHEET
        ]
        return [_facts(stream, offset) for offset in offsets]
    except (struct.error, IndexError) as error:
        raise ValueError("the records are cut short") from error


def _facts(stream: bytes, offset: int) -> SheetFacts:
    facts = SheetFacts()
    for kind, start in _records(stream, offset):
        if kind not in _CELLS:
            continue
        row, column = struct.unpack_from("<HH", stream, start)
        facts.height, facts.width = max(facts.height, row + 1), max(facts.width, column + 1)
        code = None
        if kind == _ERROR and stream[start + 7] == 1:
            code = stream[start + 6]
        elif kind == _FORMULA and stream[start + 12 : start + 14] == b"\xff\xff":
            code = stream[start + 8] if stream[start + 6] == 2 else None  # else a text or a truth
        if code is not None:
            facts.errors.setdefault(row, {})[column] = _SHOWN.get(code, "#ERROR")
    return facts


def _records(stream: bytes, offset: int) -> Iterator[tuple[int, int]]:
    """Kind, and start of the data, of all records up to the end of a part.

    Parts may hold others, such as charts; what those hold is left out.
    """
    depth = 0
    while True:
        kind, length = struct.unpack_from("<HH", stream, offset)
        start = offset + 4
        offset = start + length
        if kind == _BEGIN:
            depth += 1
        elif kind == _FINISH:
            depth -= 1
            if depth <= 0:
                return
        elif depth == 1:
            yield kind, start
