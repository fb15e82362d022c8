"""Workbooks made for tests."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook  # type: ignore[import-untyped]  # the package has no types

HEADINGS = ("Guarantee No", "Supplier", "Bank", "Amount", "Contract No", "Expiry Date")
ROW = ("LG-1", "Al Noor Trading", "Riyad Bank", "1,000.50", "C-7", "31/12/2030")


def xlsx(
    path: Path,
    *rows: Sequence[Any],
    title: str = "Guarantees",
    merged: Sequence[str] = (),
    edit: Callable[[Any], None] | None = None,
) -> Path:
    """A workbook with one sheet of ``rows``; ``edit`` may do more to it."""
    book = Workbook()
    sheet = book.active
    sheet.title = title
    for row in rows:
        sheet.append(list(row))
    for cells in merged:
        sheet.merge_cells(cells)
    if edit is not None:
        edit(book)
    book.save(path)
    return path


def rewritten(path: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """The same archive with parts changed, or left out where ``change`` answers None."""
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(path) as old,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            content = change(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
    path.write_bytes(packed.getvalue())
    return path


def with_results(path: Path, results: dict[str, str]) -> Path:
    """The workbook with saved results of formulas, as Excel would have them; by cell."""

    def change(name: str, content: bytes) -> bytes:
        for cell, result in results.items():
            pattern = rf'(<c r="{cell}"[^>]*><f>[^<]*</f>)<v ?/?>(</v>)?'
            content = re.sub(pattern.encode(), rf"\1<v>{result}</v>".encode(), content)
        return content

    return rewritten(path, change)
