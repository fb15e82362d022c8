"""Collections of JSON documents, staged whole."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from migrations_tools.imports.lines import value_line
from migrations_tools.imports.readers.base import Record, SourceTable
from migrations_tools.imports.staging import StagedTable
from migrations_tools.imports.tables import Counts, FileImport
from migrations_tools.imports.values import canonical, content_hash, document_json, may_be_lost
from migrations_tools.models import StagedRow
from migrations_tools.text import storable, storable_text

Values = Mapping[str, Any]

_OWN_KEYS = ("_id", "id")
_LONGEST_KEY = 200  # characters; longer ones do not fit a B-tree, their hash does


class DocumentTable(StagedTable):
    """Every object is staged, whatever its shape (SPEC §3).

    The model has ``line`` (text, verbatim), ``document`` (JSONB: Extended JSON made plain, NUL
    and lone surrogates replaced) and the unique text field ``key``: the document's own ``_id`` or
    ``id``, else the values of ``natural_key``, else a hash of the content. Of several documents
    with one key in a file the last one wins. ``read_id`` says how ids are written where others
    refer to them; None where it does not know. ``derived`` fills further fields from the values.
    """

    def __init__(
        self,
        name: str,
        model: type[StagedRow],
        *,
        key: str,
        columns: Sequence[str] = (),
        natural_key: Sequence[str] = (),
        read_id: Callable[[Any], str | None] | None = None,
        derived: Mapping[str, Callable[[Values], Any]] | None = None,
        other_names: Sequence[str] = (),
    ) -> None:
        self._derived = derived or {}
        self._read_id = read_id
        self._natural_key = natural_key
        super().__init__(
            name,
            model,
            key=key,
            fields=["line", "document", *self._derived],
            columns=dict.fromkeys((*_OWN_KEYS, *columns, *natural_key), ()),
            other_names=other_names,
        )

    def load(self, source: SourceTable, file_import: FileImport) -> Counts:
        if source.columns is not None and source.name is None:  # a database is asked by its own
            source.columns = self._usual_names(source.columns)
        return super().load(source, file_import)

    def _usual_names(self, columns: Sequence[str]) -> list[str]:
        """The columns of a CSV file under the names that a document of this kind has, where they
        are written in another way.
        """
        usual = list(columns)
        for column, field in self.fields_of(columns):
            if field is not None and field not in usual:
                usual[columns.index(column)] = field
        return usual

    def line(self, record: Record) -> bytes:
        return value_line(self.row(record))

    def row(self, record: Record) -> tuple[Any, ...]:
        """Values for ``columns``."""
        values = record.values
        content = canonical(values)
        digest = content_hash(content)
        line = content if record.text is None else record.text
        return (
            self._key(values) or f"sha256:{digest.hex()}",
            storable_text(line) if may_be_lost(content) else line,
            record.document or document_json(values),
            *[derive(values) for derive in self._derived.values()],
            digest,
            None,
        )

    def identify(self, cursor: Any, *, lines_identify: bool) -> None:
        self.keep_last_rows(cursor)

    def _key(self, values: Values) -> str | None:
        for own in _OWN_KEYS:
            if values.get(own) not in (None, ""):
                known = self._read_id(values[own]) if self._read_id else None
                return _key_text(values[own] if known is None else known)
        parts = [values.get(name) for name in self._natural_key]
        return _key_text(parts) if parts and all(part not in (None, "") for part in parts) else None


def _key_text(value: Any) -> str:
    if isinstance(value, Decimal):  # a number of JSON that is not written as a whole one
        value = str(value)
    text = value if isinstance(value, str) and storable(value) else canonical(value)
    if len(text) > _LONGEST_KEY:
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    return text
