"""How much of a workbook is read. Every file is hostile until it was read (SPEC §7)."""

from __future__ import annotations

from typing import Final

MEGABYTE: Final = 2**20

#: Bytes of the file as it is uploaded.
FILE_BYTES: Final = 64 * MEGABYTE
#: Bytes of an .xls: it is read into memory, several times its size.
OLD_FILE_BYTES: Final = 32 * MEGABYTE
#: Bytes of all parts of an .xlsx once unpacked, and of one sheet.
UNPACKED_BYTES: Final = 512 * MEGABYTE
#: Bytes of the texts of an .xlsx, which are kept in memory.
TEXTS_BYTES: Final = 128 * MEGABYTE
#: Texts of an .xlsx, each counted once.
TEXTS: Final = 3_000_000
#: Bytes of one row of an .xlsx, which is read in one piece.
ROW_BYTES: Final = 16 * MEGABYTE
#: Bytes of any other part – styles, the list of sheets –, which is read in one piece.
PART_BYTES: Final = 16 * MEGABYTE
#: Parts of an .xlsx.
PARTS: Final = 2_000
#: How many times larger than packed a part may be, where it is large at all.
UNPACKED_RATIO: Final = 200
LARGE_PART_BYTES: Final = 8 * MEGABYTE

#: Rows with something in them, below the headings.
ROWS: Final = 250_000
#: The last row and column that Excel has.
LAST_ROW: Final = 1_048_576
COLUMNS: Final = 16_384
#: Sheets that are looked at for headings.
SHEETS: Final = 50
#: Rows with something in them among which the headings are looked for.
HEADING_ROWS: Final = 5
#: Ranges of merged cells that are filled.
MERGED_RANGES: Final = 50_000
