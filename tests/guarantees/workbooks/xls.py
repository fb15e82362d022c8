"""Writes small .xls files (BIFF8 in a compound file); no library of ours does."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

_SECTOR = 512
_END, _FREE, _FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
_ERRORS = {"#DIV/0!": 0x07, "#REF!": 0x17, "#N/A": 0x2A}


class Formula(NamedTuple):
    """A formula with what it last came to."""

    result: float | str


def xls(
    sheets: dict[str, Sequence[Sequence[Any]]],
    *,
    merged: Sequence[tuple[int, int, int, int]] = (),
    stream: str = "Workbook",
) -> bytes:
    """The file. ``merged`` are (first row, last row, first column, last column) from 0."""
    bodies = [_sheet(rows, merged) for rows in sheets.values()]
    begin = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 1997, 0, 0x0600))
    # two cell formats: general, and days
    begin += b"".join(_record(0x00E0, struct.pack("<HH16x", 0, form)) for form in (0, 14))
    names = [name.encode("utf-16-le") for name in sheets]
    offset = len(begin) + sum(4 + 8 + len(name) for name in names) + 4
    content = begin
    for name, body in zip(names, bodies, strict=True):
        head = struct.pack("<IBBBB", offset, 0, 0, len(name) // 2, 1)
        content += _record(0x0085, head + name)
        offset += len(body)
    return _compound(content + _record(0x000A, b"") + b"".join(bodies), stream)


def _record(kind: int, data: bytes) -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def _sheet(rows: Sequence[Sequence[Any]], merged: Sequence[tuple[int, int, int, int]]) -> bytes:
    content = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 1997, 0, 0x0600))
    for row, cells in enumerate(rows):
        for column, value in enumerate(cells):
            if value is not None:
                content += _cell(row, column, value)
    if merged:
        ranges = b"".join(struct.pack("<HHHH", *found) for found in merged)
        content += _record(0x00E5, struct.pack("<H", len(merged)) + ranges)
    return content + _record(0x000A, b"")


def _cell(row: int, column: int, value: Any) -> bytes:
    place = struct.pack("<HHH", row, column, int(isinstance(value, date)))
    if isinstance(value, Formula):
        result = (
            bytes((2, 0, _ERRORS[value.result], 0, 0, 0, 0xFF, 0xFF))
            if isinstance(value.result, str)
            else struct.pack("<d", value.result)
        )
        return _record(0x0006, place + result + struct.pack("<HIH", 0, 0, 0))
    if value in _ERRORS:
        return _record(0x0205, place + bytes((_ERRORS[value], 1)))
    if isinstance(value, str):
        text = value.encode("utf-16-le")
        return _record(0x0204, place + struct.pack("<HB", len(value), 1) + text)
    if isinstance(value, date):
        value = (value - date(1899, 12, 30)).days
    return _record(0x0203, place + struct.pack("<d", value))


def _compound(content: bytes, stream: str) -> bytes:
    content += b"\0" * (max(4096 - len(content), 0) + -len(content) % _SECTOR)
    sectors = len(content) // _SECTOR
    fat = [_FAT, _END, *range(3, 2 + sectors), _END]
    assert len(fat) <= _SECTOR // 4, "small files only"
    fat += [_FREE] * (_SECTOR // 4 - len(fat))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16
    header += struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, _END, 0, _END, 0)
    header += struct.pack("<109I", 0, *[_FREE] * 108)
    entries = _entry("Root Entry", 5, 1, _END, 0) + _entry(stream, 2, _FREE, 2, len(content))
    directory = entries + b"\0" * (_SECTOR - len(entries))
    return header + struct.pack("<128I", *fat) + directory + content


def _entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    text = name.encode("utf-16-le") + b"\0\0"
    links = struct.pack("<III", _FREE, _FREE, child)
    return (
        text.ljust(64, b"\0") + struct.pack("<HBB", len(text), kind, 1) + links
        + b"\0" * 36 + struct.pack("<IQ", start, size)
    )  # fmt: skip
