"""Files that came in and wait for a worker: each in a private folder of its own.

A file keeps its name, cleaned, because the name may say which table it holds. Nothing else is
believed of it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import unicodedata
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _

from migrations_tools.exceptions import CarryoverError, ImportRefused
from migrations_tools.imports.readers.files import open_regular

_CHUNK: Final = 2**20  # bytes
_STEM, _SUFFIX = 200, 20  # bytes at most; file systems take 255 for both


@dataclass(frozen=True, slots=True)
class StoredFile:
    """``folder`` below ``uploads`` has the file; ``sha256`` is hexadecimal, ``size`` bytes."""

    folder: str
    name: str
    size: int
    sha256: str

    @property
    def path(self) -> Path:
        return uploads() / self.folder / self.name


def uploads() -> Path:
    """The folder of stored files, CARRYOVER_HOME/uploads; workers of several machines share it."""
    return Path(getattr(settings, "CARRYOVER_HOME", "var")) / "uploads"


def store_copy(path: Path) -> StoredFile:
    """A copy of the file at ``path``. Raises ImportRefused."""
    with open_regular(path) as source:
        return store(iter(lambda: source.read(_CHUNK), b""), name=path.name)


def store(chunks: Iterable[bytes], *, name: str, max_bytes: int | None = None) -> StoredFile:
    """Write what comes in to where only our own account can read it.

    Raises ImportRefused where it is empty, or more than ``max_bytes``; nothing is kept then.
    """
    folder, name = uuid.uuid4().hex, clean_name(name)
    target = uploads() / folder
    uploads().mkdir(mode=0o700, parents=True, exist_ok=True)
    target.mkdir(mode=0o700)
    digest, size = hashlib.sha256(), 0
    try:
        descriptor = os.open(target / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as copy:
            for chunk in chunks:
                size += len(chunk)
                if max_bytes is not None and size > max_bytes:
                    raise ImportRefused(
                        _("%(name)s has more than %(max_bytes)s bytes, the most that is taken.")
                        % {"name": name, "max_bytes": f"{max_bytes:,}"},
                        code="file_too_large",
                    )
                digest.update(chunk)
                copy.write(chunk)
            copy.flush()
            os.fsync(copy.fileno())
        if not size:
            raise ImportRefused(
                _("%(name)s is empty (0 bytes).") % {"name": name}, code="empty_file"
            )
    except BaseException:
        forget(folder)
        raise
    return StoredFile(folder, name, size, digest.hexdigest())


def stored_path(folder: str) -> Path:
    """The one file of a folder. Raises ImportRefused where it is not here."""
    found = sorted((uploads() / folder).iterdir()) if (uploads() / folder).is_dir() else []
    if not found:
        raise ImportRefused(
            _(
                "The stored file is not on this machine: workers of several machines "
                "have to share CARRYOVER_HOME/uploads. Import the file again."
            ),
            code="file_not_found",
        )
    return found[0]


def forget(folder: str) -> None:
    """Delete a stored file."""
    if folder:
        shutil.rmtree(uploads() / folder, ignore_errors=True)


def clean_name(name: str) -> str:
    """The last part of ``name`` as a file name: no folders, no signs that nobody sees."""
    last = name.replace("\\", "/").rpartition("/")[2]
    # categories C: control characters, direction marks, lone surrogates
    seen = "".join(sign for sign in last if unicodedata.category(sign)[0] != "C").strip(" .")
    suffix = PurePath(seen).suffix
    return (_cut(seen.removesuffix(suffix), _STEM) + _cut(suffix, _SUFFIX)) or "upload"


def _cut(text: str, most: int) -> str:
    return text.encode()[:most].decode(errors="ignore")


@contextmanager
def told_by_name(path: Path) -> Iterator[None]:
    """Refusals name the file and not the folder of this machine that it lies in."""
    try:
        yield
    except CarryoverError as refusal:
        for place in (str(path), str(path.absolute())):
            refusal.message = refusal.message.replace(place, path.name)
        refusal.args = (refusal.message,)
        raise
