"""Compound files, the containers of .xls: whether their chains of sectors come to an end.

The reader follows a chain for as long as it goes on, and one that bites its tail goes on for ever.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Final

_LARGEST_SECTOR: Final = 0xFFFFFFFA  # what is above has a meaning of its own
_END: Final = 0xFFFFFFFE
_IN_HEADER: Final = 109  # sectors of the table that the header itself names
_ENTRY: Final = 128  # bytes of an entry of the directory
#: Streams that hold workbooks, of Excel 97 on and of Excel 95.
_WORKBOOKS: Final = ("Workbook", "Book")
_STREAM, _ROOT = 2, 5  # kinds of entries


class BrokenContainer(ValueError):
    """A chain without an end, or one that leads out of the file."""


def workbook_stream(content: bytes) -> bytes:
    """The stream of the workbook, after every chain of the container was followed once.

    Raises BrokenContainer, also where there is no such stream.
    """
    try:
        return _Container(content).follow_all()
    except (struct.error, IndexError, OverflowError) as error:
        raise BrokenContainer("the container is cut short") from error


class _Container:
    """A container as far as it is needed to follow its chains."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        shift, mini_shift = struct.unpack_from("<HH", content, 30)
        if shift not in (9, 12) or mini_shift != 6:
            raise BrokenContainer("sectors of no known size")
        self._size: int = 1 << shift
        self._count = -(-(len(content) - self._size) // self._size)
        header = struct.unpack_from("<IIIIIIII", content, 44)
        (_, self._directory, _, self._cutoff, self._mini_table, _, more, _) = header
        sectors = self._table_sectors(more)
        self._table = self._numbers(sectors)

    def follow_all(self) -> bytes:
        """The directory, the table of small sectors, and whatever the directory names."""
        directory = b"".join(map(self._sector, self._chain(self._directory, self._table)))
        small = (
            self._numbers(list(self._chain(self._mini_table, self._table)))
            if self._mini_table != _END
            else ()
        )
        found: bytes | None = None
        for place in range(0, len(directory) - _ENTRY + 1, _ENTRY):
            kind = directory[place + 66]
            start, size = struct.unpack_from("<II", directory, place + 116)
            if kind not in (_STREAM, _ROOT) or size == 0:
                continue
            is_small = kind == _STREAM and size < self._cutoff
            sectors = list(self._chain(start, small if is_small else self._table))
            name = directory[place : place + 64].decode("utf-16-le", "replace").partition("\0")[0]
            if kind == _STREAM and name in _WORKBOOKS:
                if is_small or found is not None:
                    raise BrokenContainer("not one workbook of a plausible size")
                found = b"".join(map(self._sector, sectors))[:size]
        if found is None:
            raise BrokenContainer("there is no workbook in it")
        return found

    def _table_sectors(self, more: int) -> list[int]:
        """The sectors of the table itself: some in the header, the rest in a chain of its own."""
        listed = list(struct.unpack_from(f"<{_IN_HEADER}I", self._content, 76))
        seen = 0
        while more <= _LARGEST_SECTOR:
            numbers = self._numbers([more])
            listed += numbers[:-1]
            more = numbers[-1]
            seen += 1
            if seen > self._count:
                raise BrokenContainer("the table of sectors has no end")
        return [sector for sector in listed if sector <= _LARGEST_SECTOR]

    def _chain(self, start: int, table: Sequence[int]) -> Iterator[int]:
        seen, sector = 0, start
        while sector != _END:
            if sector >= len(table) or seen > len(table):
                raise BrokenContainer("a chain of sectors does not end")
            yield sector
            seen += 1
            sector = table[sector]

    def _numbers(self, sectors: Sequence[int]) -> tuple[int, ...]:
        if len(sectors) > self._count:
            raise BrokenContainer("a table is larger than the file")
        content = b"".join(map(self._sector, sectors))
        return struct.unpack(f"<{len(content) // 4}I", content)

    def _sector(self, number: int) -> bytes:
        if number >= self._count:
            raise BrokenContainer("a sector lies outside of the file")
        start = (number + 1) * self._size
        return self._content[start : start + self._size].ljust(self._size, b"\0")
