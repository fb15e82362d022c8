"""What people upload, look at and then confirm: files of legacy systems, and what apps add."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.contrib.auth.models import User

from migrations_tools.imports.kinds import Words, get_kind
from migrations_tools.imports.tables import Progress
from migrations_tools.models import QueuedImport

MEGABYTE: Final = 2**20
#: Bytes of a legacy file that is uploaded; larger ones are for the command.
LEGACY_BYTES: Final = 512 * MEGABYTE


@dataclass(frozen=True, kw_only=True)
class UploadKind:
    """A kind of file that comes in by upload and is not a legacy system's (`ImportKind`).

    ``permission`` is what uploading and carrying out need, ``deed`` says it in words. ``look``
    refuses what shows before the file is read to its end, given the upload's ``options``.
    ``page`` is the name of the admin page of one upload, ``start`` that of the form; ``what`` says
    in a sentence what its files are.
    ``carry_out`` imports it in the caller's transaction and answers what the upload's ``result``
    is to be. Both raise CarryoverError.
    """

    name: str
    title: Words
    permission: str
    deed: str
    max_bytes: int
    page: str
    start: str
    what: Words
    look: Callable[[Path, Mapping[str, Any], User, str], None]
    carry_out: Callable[[QueuedImport, Path, Progress], dict[str, Any]]


@dataclass(frozen=True)
class Demands:
    """What an upload of a kind needs: the permission, what for, and the most bytes."""

    permission: str
    deed: str
    max_bytes: int


_kinds: dict[str, UploadKind] = {}


def register_upload_kind(kind: UploadKind) -> UploadKind:
    """Make ``kind`` known; its name must be free."""
    if _kinds.get(kind.name, kind) != kind:
        raise ValueError(f"the upload kind {kind.name!r} is registered twice")
    _kinds[kind.name] = kind
    return kind


def own_upload_kind(name: str) -> UploadKind | None:
    """The upload kind called ``name``; None for kinds of legacy files."""
    return _kinds.get(name)


def own_upload_kinds() -> list[UploadKind]:
    return list(_kinds.values())


def demands_of(name: str) -> Demands:
    """What an upload of the kind needs. Raises ImportRefused where there is no such kind."""
    own = own_upload_kind(name)
    if own is not None:
        return Demands(own.permission, own.deed, own.max_bytes)
    get_kind(name)
    return Demands("migrations_tools.import", "import legacy files", LEGACY_BYTES)
