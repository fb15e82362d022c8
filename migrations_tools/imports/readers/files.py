"""Opening files that nobody vouches for: what may be read at all, and as what."""

from __future__ import annotations

import hashlib
import io
import os
import stat
from pathlib import Path

from django.utils.translation import gettext as _

from migrations_tools.exceptions import ImportRefused
from migrations_tools.imports.readers.text import detect_encoding, open_text

SQLITE_MAGIC = b"SQLite format 3\x00"
_HEAD = 64 * 2**10  # bytes that are looked at to tell the format


class TextFile:
    """An open text file of unknown encoding."""

    def __init__(self, file: io.BufferedReader, head: bytes) -> None:
        self._file = file
        self._size = os.fstat(file.fileno()).st_size
        self.encoding = detect_encoding(head)
        #: the start of the text, a byte order mark and white space left out
        self.start = head.decode(self.encoding, errors="replace").lstrip()

    def rewound(self, *, newline: str) -> io.TextIOWrapper:
        """The text from its beginning."""
        self._file.seek(0)
        return open_text(self._file, self.encoding, newline=newline)

    def position(self) -> float:
        return self._file.tell() / self._size

    def close(self) -> None:
        self._file.close()


def open_regular(path: Path) -> io.BufferedReader:
    """``path`` open for reading. Folders, pipes, devices and empty files are refused.

    A pipe is opened without waiting for its other end, so that a refusal comes at once.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise ImportRefused(
            _("There is no file %(path)s.") % {"path": path}, code="file_not_found"
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ImportRefused(
            _("%(path)s cannot be opened: %(reason)s.") % {"path": path, "reason": reason},
            code="file_unreadable",
        ) from error
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or not status.st_size:
        os.close(descriptor)
        if stat.S_ISREG(status.st_mode):
            raise ImportRefused(
                _("%(path)s is empty (0 bytes).") % {"path": path}, code="empty_file"
            )
        kind = _("folder") if stat.S_ISDIR(status.st_mode) else _("device or pipe")
        raise ImportRefused(
            _("%(path)s is a %(kind)s, not a file.") % {"path": path, "kind": kind},
            code="not_a_file",
        )
    return io.BufferedReader(io.FileIO(descriptor), 2**20)


def read_head(file: io.BufferedReader) -> bytes:
    head = file.read(_HEAD)
    file.seek(0)
    return head


def sha256_of(file: io.BufferedReader) -> str:
    """Hexadecimal SHA-256 of a whole file."""
    file.seek(0)
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    file.seek(0)
    return digest
