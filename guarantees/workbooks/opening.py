"""What may be opened as a workbook at all; looked at before a reader sees it."""

from __future__ import annotations

import io
import os
import zipfile
from enum import Enum
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from guarantees.workbooks import limits
from guarantees.workbooks.errors import WorkbookRefused


class Format(Enum):
    XLSX = "xlsx"
    XLS = "xls"


_ZIP: Final = b"PK\x03\x04"
_COMPOUND: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # .xls, and encrypted .xlsx
_SAVE_AS: Final = gettext_noop("Open it in Excel and save it as an Excel workbook (.xlsx).")

#: How files begin that people take for workbooks.
_OTHERS: Final = (
    (b"%PDF", gettext_noop("a PDF document")),
    (b"<", gettext_noop("a web page or XML")),
    (b"SQLite format 3", gettext_noop("a database")),
    (b"\x1f\x8b", gettext_noop("a packed file")),
)


def guard(file: io.BufferedReader, name: str) -> Format:
    """The format of an open file that may be read. Raises WorkbookRefused."""
    size = os.fstat(file.fileno()).st_size
    if size > limits.FILE_BYTES:
        raise too_large(
            _("%(name)s has %(size)s bytes; at most %(file_bytes)s are read.")
            % {"name": name, "size": f"{size:,}", "file_bytes": f"{limits.FILE_BYTES:,}"}
        )
    file.seek(0)
    start = file.read(512)
    file.seek(0)
    if start.startswith(_ZIP):
        _guard_zip(file, name)
        return Format.XLSX
    if start.startswith(_COMPOUND):
        _guard_compound(file, name, size)
        return Format.XLS
    start = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    what = next((what for magic, what in _OTHERS if start.startswith(magic)), _("something else"))
    raise WorkbookRefused(
        _("%(name)s is no Excel workbook but %(what)s. %(save_as)s")
        % {"name": name, "what": _(what), "save_as": _(_SAVE_AS)},
        code="no_workbook",
    )


def _guard_zip(file: io.BufferedReader, name: str) -> None:
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise damaged(name) from error
    finally:
        file.seek(0)
    names = {part.filename for part in parts}
    if len(parts) > limits.PARTS or len(names) != len(parts):
        raise damaged(name)
    if "xl/workbook.xml" not in names:
        raise WorkbookRefused(
            _("%(name)s is packed, but no .xlsx workbook. %(save_as)s")
            % {"name": name, "save_as": _(_SAVE_AS)},
            code="no_workbook",
        )
    if any(part.endswith("vbaProject.bin") or "/macrosheets/" in part for part in names):
        raise _macros(name)
    if any(part.flag_bits & 1 for part in parts):
        raise _encrypted(name)
    for part in parts:
        _guard_part(part, name)
    if sum(part.file_size for part in parts) > limits.UNPACKED_BYTES:
        raise too_large(
            _("%(name)s unpacks to more than %(unpacked_bytes)s bytes.")
            % {"name": name, "unpacked_bytes": f"{limits.UNPACKED_BYTES:,}"}
        )


def _guard_part(part: zipfile.ZipInfo, name: str) -> None:
    """Sizes as the archive declares them; nothing beyond them is ever unpacked."""
    path = part.filename
    if path.startswith("xl/worksheets/") or not path.endswith((".xml", ".rels")):
        limit = limits.UNPACKED_BYTES  # streamed, or never opened
    elif path.endswith("sharedStrings.xml"):
        limit = limits.TEXTS_BYTES
    else:
        limit = limits.PART_BYTES
    packed = max(part.compress_size, 1)
    is_bomb = part.file_size > limits.LARGE_PART_BYTES and (
        part.file_size > packed * limits.UNPACKED_RATIO
    )
    if part.file_size > limit or is_bomb:
        raise too_large(
            _(
                "%(name)s has a part that unpacks to %(file_size)s bytes (%(path)s); "
                "that is no list of guarantees."
            )
            % {"name": name, "file_size": f"{part.file_size:,}", "path": path[:60]}
        )


def _guard_compound(file: io.BufferedReader, name: str, size: int) -> None:
    if size > limits.OLD_FILE_BYTES:
        raise too_large(
            _(
                "%(name)s has %(size)s bytes; at most %(old_file_bytes)s of an .xls are "
                "read. %(save_as)s"
            )
            % {
                "name": name,
                "size": f"{size:,}",
                "old_file_bytes": f"{limits.OLD_FILE_BYTES:,}",
                "save_as": _(_SAVE_AS),
            }
        )
    content = file.read()
    file.seek(0)
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise _encrypted(name)
    if "_VBA_PROJECT".encode("utf-16-le") in content:
        raise _macros(name)


def damaged(name: str) -> WorkbookRefused:
    return WorkbookRefused(
        _(
            "%(name)s is damaged or was cut short; send it again, or open it in "
            "Excel and save it anew."
        )
        % {"name": name},
        code="damaged_workbook",
    )


def _encrypted(name: str) -> WorkbookRefused:
    return WorkbookRefused(
        _("%(name)s is protected by a password; save it without one.") % {"name": name},
        code="encrypted_workbook",
    )


def _macros(name: str) -> WorkbookRefused:
    return WorkbookRefused(
        _("%(name)s contains macros, which are not let in. %(save_as)s")
        % {"name": name, "save_as": _(_SAVE_AS)},
        code="macros_in_workbook",
    )


def too_large(message: str) -> WorkbookRefused:
    return WorkbookRefused(message, code="workbook_too_large")
