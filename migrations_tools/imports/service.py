"""The action "import legacy files": the same for command, admin and API."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import OperationalError, connection, transaction
from django.utils.translation import gettext as _

from migrations_tools.engine.transitions import record_action
from migrations_tools.exceptions import ImportRefused
from migrations_tools.imports.kinds import ImportKind, get_kind
from migrations_tools.imports.preview import LOOKED_AT, Sample
from migrations_tools.imports.readers import open_source
from migrations_tools.imports.readers.base import Source, SourceTable
from migrations_tools.imports.readers.files import open_regular, sha256_of
from migrations_tools.imports.tables import Counts, FileImport, ImportTable, Progress
from migrations_tools.models import LegacyImport
from migrations_tools.services.actors import require
from migrations_tools.text import storable_text

_PREVIEW_WAITS: Final = "3s"  # for locks of others
_LOCK_NOT_AVAILABLE: Final = "55P03"
_WORK_MEMORY = "128MB"  # for the joins of a merge; the rows of a large file fit


def import_legacy(
    kind: str,
    paths: Sequence[Path],
    *,
    table: str | None = None,
    acting_user: User,
    surface: str,
    progress: Progress | None = None,
) -> list[LegacyImport]:
    """Import files of one kind, each in a transaction of its own (SPEC §3 "Imports").

    ``table`` says what a text file holds; otherwise its name does. All files are looked at before
    the first is imported, so that most refusals leave nothing behind. Raises ImportRefused and
    PermissionRefused.
    """
    import_kind = refuse_unreadable(
        kind, paths, table=table, acting_user=acting_user, surface=surface
    )
    return [
        _import_file(import_kind, path, table, acting_user, surface, progress) for path in paths
    ]


def refuse_unreadable(
    kind: str, paths: Sequence[Path], *, table: str | None, acting_user: User, surface: str
) -> ImportKind:
    """Refuse what shows before a file is read from end to end; the kind, where nothing does."""
    import_kind = get_kind(kind)
    require(acting_user, "import", surface=surface)
    if table is not None:
        import_kind.table(table)
    for path in paths:
        with closing(open_source(path)) as source:
            _matched(import_kind, path, source, table)
    return import_kind


def _matched(
    kind: ImportKind, path: Path, source: Source, table: str | None
) -> list[tuple[ImportTable, SourceTable]]:
    """The tables of the file that the kind knows, in the order they are to be loaded."""
    pairs = []
    for found in source.tables():
        if found.name is None:
            known = kind.table(table) if table else kind.table_of_file(path.stem)
            if found.columns is not None and not known.knows_any_of(found.columns):
                raise ImportRefused(
                    _(
                        "%(path)s has none of the columns of “%(name)s”; its first row must name "
                        "them."
                    )
                    % {"path": path, "name": known.name},
                    code="no_known_column",
                )
            pairs.append((known, found))
        else:
            named = found.name
            pairs += [(known, found) for known in kind.tables if known.is_called(named)]
    if not pairs:
        names = ", ".join(known.name for known in kind.tables)
        raise ImportRefused(
            _("%(path)s has none of the tables %(names)s.") % {"path": path, "names": names},
            code="no_known_table",
        )
    order = list(kind.tables)
    return sorted(pairs, key=lambda pair: order.index(pair[0]))


@dataclass(frozen=True, slots=True)
class Preview:
    """What importing a file would do. ``legacy_import`` has the counts and is not stored.

    ``encoding`` is empty for databases. ``is_complete`` is false where the file has more rows than
    a preview looks at; the counts are those of the rows looked at then.
    """

    legacy_import: LegacyImport
    format: str
    encoding: str
    sample: Sample

    @property
    def is_complete(self) -> bool:
        return self.sample.is_complete

    def as_json(self) -> dict[str, Any]:
        """The preview as one object (the counts are called as those of ``import_legacy``)."""
        counts = self.legacy_import
        return {
            "kind": counts.kind,
            "file": counts.file_name,
            "size": counts.size,
            "sha256": counts.sha256,
            "format": self.format,
            "encoding": self.encoding,
            "complete": self.is_complete,
            "read": counts.read,
            "imported": counts.imported,
            "updated": counts.updated,
            "unchanged": counts.unchanged,
            "rejected_count": counts.rejected,
            "rows": [row.as_json() for row in self.sample.rows],
            "rejected": [rejection.as_json() for rejection in self.sample.rejections],
        }


def preview_file(
    kind: str, path: Path, *, table: str | None = None, acting_user: User, surface: str
) -> Preview:
    """What importing ``path`` would do: the import itself, of its first rows, taken back.

    Nothing is written. Raises ImportRefused – also where an import of the kind, or whoever holds
    its rows, takes too long – and PermissionRefused.
    """
    import_kind = refuse_unreadable(
        kind, [path], table=table, acting_user=acting_user, surface=surface
    )
    with closing(open_source(path)) as source:
        told = source.format, source.encoding
    sample = Sample(LOOKED_AT)
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, true)", [_PREVIEW_WAITS])
            found = _import_file(import_kind, path, table, acting_user, surface, None, sample)
            transaction.set_rollback(True)
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != _LOCK_NOT_AVAILABLE:
            raise
        raise ImportRefused(
            _(
                "An import of this kind is at work, or somebody edits its rows; look "
                "again when it is done."
            ),
            code="import_busy",
        ) from error
    return Preview(found, *told, sample)


@transaction.atomic
def _import_file(
    kind: ImportKind,
    path: Path,
    table: str | None,
    acting_user: User,
    surface: str,
    progress: Progress | None,
    sample: Sample | None = None,
) -> LegacyImport:
    _wait_for_turn(kind)
    with open_regular(path) as file:
        before = os.fstat(file.fileno())
        sha256 = sha256_of(file)
    legacy_import = LegacyImport.objects.create(
        kind=kind.name,
        file_name=storable_text(path.name)[:255],
        size=before.st_size,
        sha256=sha256,
        actor=acting_user,
    )
    if kind.before is not None:
        kind.before(legacy_import)
    with connection.cursor() as cursor, closing(open_source(path)) as source:
        file_import = FileImport(cursor, legacy_import, progress, sample)
        tables: dict[str, Counts] = {}
        for known, found in _matched(kind, path, source, table):
            found.null_words = kind.null_words
            legacy_import.heading = storable_text(found.heading)
            counts = known.load(found, file_import)
            tables[known.name] = tables.get(known.name, Counts()) + counts
        file_import.flush()
    after = path.stat()
    if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise ImportRefused(
            _("%(path)s was changed while it was read.") % {"path": path}, code="file_changed"
        )
    total = sum(tables.values(), Counts())
    legacy_import.read = file_import.read
    legacy_import.rejected = file_import.rejected
    legacy_import.imported = total.imported
    legacy_import.updated = total.updated
    legacy_import.unchanged = total.unchanged
    legacy_import.save()
    if sample is not None:
        return legacy_import
    record_action(
        None,
        action="import",
        acting_user=acting_user,
        surface=surface,
        details={
            "legacy_import": legacy_import.pk,
            "kind": kind.name,
            "file": legacy_import.file_name,
            "sha256": sha256,
            "tables": {name: asdict(counts) for name, counts in tables.items()},
        },
    )
    return legacy_import


def _wait_for_turn(kind: ImportKind) -> None:
    """One import of a kind at a time; a second one waits here for the first."""
    with connection.cursor() as cursor:
        lock = f"import {kind.name}"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [lock])
        cursor.execute("SELECT set_config('work_mem', %s, true)", [_WORK_MEMORY])
