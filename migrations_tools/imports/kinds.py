"""Import kinds: what ``import_legacy KIND`` knows. Apps register theirs in ``legacy_imports``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from migrations_tools.exceptions import ImportRefused
from migrations_tools.imports.tables import ImportTable
from migrations_tools.models import LegacyImport

Words = str | Promise


@dataclass(frozen=True, kw_only=True)
class ImportKind:
    """A legacy system, or one kind of file of it.

    ``tables`` are loaded in this order, so those that others refer to come first.
    ``what`` says in a sentence what its files are, ``group`` of which legacy system; ``migration``
    is the data migration that carries its rows over, empty where they are not staged.
    ``before`` runs in the import's transaction ahead of the first table. ``null_words`` are what
    its CSV files write for null, beside blank cells.
    """

    name: str
    title: Words
    tables: Sequence[ImportTable]
    what: Words = ""
    group: Words = ""
    migration: str = ""
    before: Callable[[LegacyImport], None] | None = None
    null_words: Collection[str] = ()

    def table(self, name: str) -> ImportTable:
        """The table called ``name``. Raises ImportRefused with the names that there are."""
        for table in self.tables:
            if table.is_called(name):
                return table
        raise ImportRefused(
            _("The kind “%(name)s” has no table “%(table)s”, only %(table_names)s.")
            % {"name": self.name, "table": name, "table_names": self._table_names()},
            code="unknown_table",
        )

    def table_of_file(self, file_stem: str) -> ImportTable:
        """The table that a text file holds, by the file's name. Raises ImportRefused."""
        if len(self.tables) == 1:
            return self.tables[0]
        table = max(self.tables, key=lambda table: table.is_named_in(file_stem))
        if not table.is_named_in(file_stem):
            raise ImportRefused(
                _(
                    "The file name “%(file_stem)s” does not say which table it holds: name "
                    "the table (--table), one of %(table_names)s."
                )
                % {"file_stem": file_stem, "table_names": self._table_names()},
                code="unknown_table",
            )
        return table

    def _table_names(self) -> str:
        return ", ".join(table.name for table in self.tables)


_kinds: dict[str, ImportKind] = {}


def register(kind: ImportKind) -> ImportKind:
    """Make ``kind`` known; its name must be free."""
    if kind.name in _kinds:
        raise ValueError(f"the import kind {kind.name!r} is registered twice")
    _kinds[kind.name] = kind
    return kind


def all_kinds() -> Sequence[ImportKind]:
    return list(_kinds.values())


def get_kind(name: str) -> ImportKind:
    """The kind called ``name``. Raises ImportRefused with the names that there are."""
    try:
        return _kinds[name]
    except KeyError:
        known = ", ".join(sorted(_kinds)) or "none"
        raise ImportRefused(
            _("There is no import kind “%(name)s”; known are: %(known)s.")
            % {"name": name, "known": known},
            code="unknown_kind",
        ) from None
