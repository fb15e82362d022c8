"""Tables whose rows go straight into models that people work with: dictionaries and the like.

Meant for thousands of rows: unlike staged ones they are compared one by one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from migrations_tools.engine.history import CHANGED, INSERTED, history_model, write_history
from migrations_tools.engine.transfer import transfer_keys
from migrations_tools.imports.preview import Difference, RowStatus, shown
from migrations_tools.imports.readers.base import Record, SourceTable
from migrations_tools.imports.tables import (
    Counts,
    FileImport,
    ImportTable,
    RowRefusedError,
    move_sequence,
)
from migrations_tools.imports.values import DoesNotFitError, converter

Values = dict[str, Any]

_CHUNK = 1_000  # rows
_REASON = "import "  # and the id of the import: the reason of its history rows


@dataclass(slots=True)
class _Row:
    record: Record
    pk: int | None
    values: Values


class LiveTable(ImportTable):
    """Rows become objects of a model with history.

    A row is found again by its id, where ``keeps_id``, else by the fields ``natural_key``. What
    somebody changed here since the last import stays as it is and counts as unchanged. A row is
    rejected where its id belongs to an object made here (``id_taken``), where it refers to an
    object that does not exist (``unknown_<field>``), where its key occurs a second time with other
    values (``duplicate_key``), and where ``complete`` – which fills what the file does not say –
    refuses it. Values that do not fit their column are left out.
    """

    def __init__(
        self,
        name: str,
        model: type[models.Model],
        *,
        columns: Mapping[str, Sequence[str]],
        natural_key: Sequence[str],
        keeps_id: bool,
        complete: Callable[[Values], None],
        other_names: Sequence[str] = (),
    ) -> None:
        pk = {model._meta.pk.attname: ()} if keeps_id else {}
        super().__init__(name, columns={**pk, **columns}, other_names=other_names)
        self.model = model
        self._natural_key = natural_key
        self._complete = complete
        self._pk = model._meta.pk.attname
        fields = {field: model._meta.get_field(field) for field in (*pk, *columns)}
        self._converters = {name: converter(field) for name, field in fields.items()}  # type: ignore[arg-type]
        self._references = {
            name: field for name, field in fields.items() if isinstance(field, models.ForeignKey)
        }

    def load(self, source: SourceTable, file_import: FileImport) -> Counts:
        counts = Counts()
        seen: dict[tuple[Any, ...], Values] = {}
        without_id: list[_Row] = []
        rows = self._rows(source, file_import)
        while chunk := list(islice(rows, _CHUNK)):
            fresh = list(self._first_ones(chunk, seen, counts, file_import))
            without_id += [row for row in fresh if row.pk is None]
            counts += self._write([row for row in fresh if row.pk is not None], file_import)
        if file_import.sample is None:
            move_sequence(file_import.cursor, self.model)
        for start in range(0, len(without_id), _CHUNK):
            counts += self._write(without_id[start : start + _CHUNK], file_import)
        return counts

    def _rows(self, source: SourceTable, file_import: FileImport) -> Iterator[_Row]:
        for record in file_import.rows(source, self.name):
            if record is None:
                continue
            values = self._values(record)
            pk = values.pop(self._pk, None)
            try:
                self._complete(values)
            except RowRefusedError as refusal:
                file_import.refuse(self.name, record, refusal)
            else:
                yield _Row(record, pk, values)

    def _values(self, record: Record) -> Values:
        values: Values = {}
        for column, field in self.fields_of(record.values):
            value = record.values[column]
            if field is None or value is None or field in values:
                continue
            try:
                values[field] = self._converters[field](value)
            except DoesNotFitError:
                continue
        return values

    def _first_ones(
        self,
        rows: Iterable[_Row],
        seen: dict[tuple[Any, ...], Values],
        counts: Counts,
        file_import: FileImport,
    ) -> Iterator[_Row]:
        """The rows whose key has not occurred yet; the others are counted or rejected."""
        for row in rows:
            key = (row.pk,) if row.pk is not None else (None, *self._key(row.values))
            first = seen.setdefault(key, row.values)
            if first is row.values:
                yield row
            elif first == row.values:
                counts.unchanged += 1
            else:
                detail = _("A row of the same key, with other values, comes before this one.")
                file_import.refuse(self.name, row.record, RowRefusedError("duplicate_key", detail))

    def _write(self, rows: Sequence[_Row], file_import: FileImport) -> Counts:
        """Create and update what has to be, with history."""
        counts = Counts()
        rows = list(self._resolved(rows, file_import))
        existing = self._existing(rows)
        reasons = self._reasons([found.pk for found in existing if found is not None])
        new: list[models.Model] = []
        changed: list[models.Model] = []
        for row, found in zip(rows, existing, strict=True):
            if found is None:
                # a preview leaves the sequence of keys alone, so that it has none to give
                if row.pk is not None or file_import.sample is None:
                    new.append(self.model(**{self._pk: row.pk}, **row.values))
                counts.imported += 1
                self._tell_sample(file_import, row, RowStatus.NEW)
                continue
            different = {
                name: value for name, value in row.values.items() if getattr(found, name) != value
            }
            imported = [reason.startswith(_REASON) for reason in reasons[found.pk]]
            if different and imported and imported[0]:
                changes = [
                    Difference(name, shown(getattr(found, name)), shown(value))
                    for name, value in different.items()
                ]
                self._tell_sample(file_import, row, RowStatus.UPDATED, changes)
                for name, value in different.items():
                    setattr(found, name, value)
                changed.append(found)
            elif different and row.pk is not None and not any(imported):
                detail = _("The id %(row)s belongs to “%(found)s”, which was made here.") % {
                    "row": row.pk,
                    "found": found,
                }
                file_import.refuse(self.name, row.record, RowRefusedError("id_taken", detail))
            else:
                counts.unchanged += 1
        manager = self.model._default_manager
        manager.bulk_create(new)
        manager.bulk_update(changed, [name for name in self._converters if name != self._pk])
        counts.updated = len(changed)
        self._remember(new, INSERTED, file_import)
        self._remember(changed, CHANGED, file_import)
        file_import.flush()
        return counts

    def _tell_sample(
        self,
        file_import: FileImport,
        row: _Row,
        status: RowStatus,
        changes: Sequence[Difference] = (),
    ) -> None:
        if file_import.sample is not None:
            file_import.sample.became(self.name, row.record.line, status, changes)

    def _resolved(self, rows: Sequence[_Row], file_import: FileImport) -> Iterator[_Row]:
        """The rows all of whose references exist."""
        for name, field in self._references.items():
            related = field.related_model
            wanted = {row.values.get(name) for row in rows}
            found = set(
                related._default_manager.filter(pk__in=wanted - {None}).values_list("pk", flat=True)
            )
            known = []
            for row in rows:
                if row.values.get(name) in found:
                    known.append(row)
                    continue
                detail = _("There is no %(model)s %(key)s.") % {
                    "model": related._meta.verbose_name,
                    "key": row.values.get(name, ""),
                }
                refusal = RowRefusedError(f"unknown_{field.name}", detail)
                file_import.refuse(self.name, row.record, refusal)
            rows = known
        yield from rows

    def _existing(self, rows: Sequence[_Row]) -> list[Any]:
        """For each row the object it stands for, or None."""
        manager = self.model._default_manager
        by_pk = manager.in_bulk([row.pk for row in rows if row.pk is not None])
        named = [row for row in rows if row.pk is None]
        keys = [self._key(row.values) for row in named]
        conditions = {
            f"{name}__in": set(values)
            for name, values in zip(self._natural_key, zip(*keys, strict=True), strict=False)
        }
        by_name = {
            self._key(vars(found)): found
            for found in (manager.filter(**conditions).order_by("-pk") if named else ())
        }
        return [
            by_name.get(self._key(row.values)) if row.pk is None else by_pk.get(row.pk)
            for row in rows
        ]

    def _key(self, values: Mapping[str, Any]) -> tuple[Any, ...]:
        """A text that is missing is blank, as it is in the database."""
        return tuple(values.get(name) or "" for name in self._natural_key)

    def _reasons(self, pks: Sequence[Any]) -> dict[Any, list[str]]:
        """Why the objects were changed, the newest change first."""
        history = history_model(self.model)
        reasons: dict[Any, list[str]] = defaultdict(list)
        if history is not None and pks:
            entries = history._default_manager.filter(**{f"{self._pk}__in": pks})
            for pk, reason in entries.order_by("-history_date", "-history_id").values_list(
                self._pk, "history_change_reason"
            ):
                reasons[pk].append(reason or "")
        return reasons

    def _remember(
        self, written: Sequence[models.Model], kind: str, file_import: FileImport
    ) -> None:
        legacy_import = file_import.legacy_import
        write_history(
            file_import.cursor,
            self.model,
            transfer_keys(
                file_import.cursor, self.model, [each.pk for each in written], [None] * len(written)
            ),
            kind,
            f"{_REASON}{legacy_import.pk}",
            legacy_import.actor_id,
        )
