"""The action "import legacy files": the same for command, admin and API."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from django.contrib.auth.models import User
from django.db import connection, transaction

from migrations_tools.engine.transitions import record_action
from migrations_tools.exceptions import ImportRefused
from migrations_tools.imports.kinds import ImportKind, get_kind
from migrations_tools.imports.readers import open_source
from migrations_tools.imports.readers.base import Source, SourceTable
from migrations_tools.imports.readers.files import open_regular, sha256_of
from migrations_tools.imports.tables import Counts, FileImport, ImportTable, Progress
from migrations_tools.models import LegacyImport
from migrations_tools.services.actors import require
from migrations_tools.text import storable_text

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
                    f"{path} has none of the columns of “{known.name}”; its first row must name "
                    "them.",
                    code="no_known_column",
                )
            pairs.append((known, found))
        else:
            named = found.name
            pairs += [(known, found) for known in kind.tables if known.is_called(named)]
    if not pairs:
        names = ", ".join(known.name for known in kind.tables)
        raise ImportRefused(f"{path} has none of the tables {names}.", code="no_known_table")
    order = list(kind.tables)
    return sorted(pairs, key=lambda pair: order.index(pair[0]))


@transaction.atomic
def _import_file(
    kind: ImportKind,
    path: Path,
    table: str | None,
    acting_user: User,
    surface: str,
    progress: Progress | None,
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
        file_import = FileImport(cursor, legacy_import, progress)
        tables: dict[str, Counts] = {}
        for known, found in _matched(kind, path, source, table):
            found.null_words = kind.null_words
            counts = known.load(found, file_import)
            tables[known.name] = tables.get(known.name, Counts()) + counts
        file_import.flush()
    after = path.stat()
    if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise ImportRefused(f"{path} was changed while it was read.", code="file_changed")
    total = sum(tables.values(), Counts())
    legacy_import.read = file_import.read
    legacy_import.rejected = file_import.rejected
    legacy_import.imported = total.imported
    legacy_import.updated = total.updated
    legacy_import.unchanged = total.unchanged
    legacy_import.save()
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
