"""New guarantees typed in, or pasted as text (guarantees.md "Manual entry and text paste")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from guarantees.entry_errors import ValidationRefused
from guarantees.intake import Entry, Judge, Problem
from guarantees.models import BatchKind, Guarantee, ImportBatch
from guarantees.pasted import Cells, cells_of, read_pasted
from guarantees.reading import day_first
from guarantees.selectors.dictionaries import read_dictionaries
from guarantees.selectors.duplicates import Key, entry_keys, known_guarantees
from guarantees.services.actions.writing import local_day
from guarantees.services.import_reports import JudgedRow
from guarantees.services.imports import duplicate_of
from guarantees.services.recording import (
    lock_day_batch,
    record_new,
    references_checked,
    save_totals,
)
from guarantees.workbooks.cells import Unreadable
from migrations_tools.services.actors import require_permission
from migrations_tools.signing import Clock, history_reason

#: Characters of a pasted text, and guarantees in it.
LONGEST_TEXT: Final = 200_000
MOST_PASTED: Final = 500

#: In place of a list or an object: a form has plain values only.
_NO_VALUE: Final = Unreadable("not_text", gettext_noop("has no plain value."))
_RELATED_TO: Final = (None, "", "contract", "purchase_order")


@dataclass(frozen=True, slots=True)
class Entered:
    """The guarantees in the day's batch; ``warnings`` are for each, in order."""

    batch: ImportBatch
    guarantees: list[Guarantee]
    warnings: list[list[Problem]]


def enter_guarantee(
    values: Mapping[str, object],
    *,
    acting_user: User,
    surface: str,
    now: Clock = timezone.now,
) -> Entered:
    """A guarantee that a person typed in, in the manual batch of the day.

    ``values`` are called as columns are: ``number``, ``supplier``, ``bank``, ``amount``,
    ``contract`` or ``purchase_order``, ``issue_date``, ``expiry_date``, ``currency``, ``type``,
    ``comment``. Raises PermissionRefused, or ValidationRefused with all that is wrong with them;
    nothing is written then.
    """
    _require(acting_user, "enter a guarantee", surface)
    cells, problems = _typed(values)
    return _enter(
        BatchKind.MANUAL, [cells], problems, acting_user=acting_user, surface=surface, now=now
    )


def preview_entry(values: Mapping[str, object], *, acting_user: User, surface: str) -> JudgedRow:
    """What entering ``values`` would make of them, or all that is wrong; nothing is written.

    Raises PermissionRefused.
    """
    _require(acting_user, "enter a guarantee", surface)
    cells, problems = _typed(values)
    row = JudgedRow(1, _judge().judge(cells), cells)
    if row.judged.entry is not None:
        _flag(row.judged.entry, row.judged.warnings, known_guarantees([row.judged.entry]))
    if problems:
        row.judged.entry = None
        row.judged.problems += problems
    return row


def _typed(values: Mapping[str, object]) -> tuple[Cells, list[Problem]]:
    """What was typed into a form, as cells, and what no cell can be."""
    cells, unknown = cells_of(values)
    problems = [
        Problem(name, "unknown_field", _("%(name)s: there is no such field.") % {"name": name})
        for name in unknown
    ]
    cells |= {name: _NO_VALUE for name, value in cells.items() if isinstance(value, list | dict)}
    if values.get("related_to") not in _RELATED_TO:
        problems.append(
            Problem("related_to", "invalid_value", _("related_to is contract or purchase_order."))
        )
    return cells, problems


def paste_guarantees(
    text: str, *, acting_user: User, surface: str, now: Clock = timezone.now
) -> Entered:
    """The guarantees of a pasted text, in the paste batch of the day; all of them or none.

    Raises PermissionRefused, or ValidationRefused with all that is wrong with any of them; nothing
    is written then.
    """
    _require(acting_user, "paste guarantees", surface)
    found = _pasted(text)
    return _enter(BatchKind.PASTE, found, [], acting_user=acting_user, surface=surface, now=now)


def preview_pasted(text: str, *, acting_user: User, surface: str) -> list[JudgedRow]:
    """What pasting ``text`` would make of each guarantee in it, in order; nothing is written.

    Raises PermissionRefused, or ValidationRefused where nothing in the text is understood.
    """
    _require(acting_user, "paste guarantees", surface)
    judge, found = _judge(), _pasted(text)
    rows = [JudgedRow(place, judge.judge(cells), cells) for place, cells in enumerate(found, 1)]
    known = known_guarantees(row.judged.entry for row in rows if row.judged.entry)
    for row in rows:
        if row.judged.entry is not None:
            _flag(row.judged.entry, row.judged.warnings, known)
    return rows


def _pasted(text: str) -> list[Cells]:
    if len(text) > LONGEST_TEXT:
        _refuse_text(
            "too_long",
            _("The text has more than %(longest_text)s characters.")
            % {"longest_text": f"{LONGEST_TEXT:,}"},
        )
    found = read_pasted(text)
    if not found:
        _refuse_text(
            "not_understood",
            _(
                "No guarantee was found in the text. Paste rows with their headings from "
                "a table, or lines such as “Guarantee number: …”."
            ),
        )
    if len(found) > MOST_PASTED:
        _refuse_text(
            "too_many",
            _("The text has more than %(most_pasted)s guarantees; use a file.")
            % {"most_pasted": MOST_PASTED},
        )
    return found


def _flag(entry: Entry, warnings: list[Problem], known: Mapping[Key, int]) -> None:
    """Warn of an entry that a stored guarantee looks like."""
    stored = next((known[key] for key in entry_keys(entry) if key in known), None)
    if stored is not None:
        warnings.append(duplicate_of(stored))


def _enter(
    kind: str,
    given: Sequence[Cells],
    problems: Sequence[Problem],
    *,
    acting_user: User,
    surface: str,
    now: Clock,
) -> Entered:
    """All entries or none; the counters of the day's batch change under its lock."""
    entries, warnings = _judged(given, problems)
    at = now()
    by: dict[str, Any] = {
        "acting_user": acting_user,
        "reason": history_reason("manual entry" if kind == BatchKind.MANUAL else "paste", surface),
    }
    with transaction.atomic(), references_checked():
        batch = lock_day_batch(kind, local_day(at), at=at, **by)
        known = known_guarantees(entries)
        for entry, flags in zip(entries, warnings, strict=True):
            _flag(entry, flags, known)
        pks = record_new(batch, entries, at=at, **by)
        save_totals(batch, **by)
    written = Guarantee.objects.select_related("supplier", "bank", "batch").in_bulk(pks)
    return Entered(batch, [written[pk] for pk in pks], warnings)


def _judged(
    given: Sequence[Cells], problems: Sequence[Problem]
) -> tuple[list[Entry], list[list[Problem]]]:
    """The entries with their warnings. Raises ValidationRefused with the problems of all."""
    judge = _judge()
    judged = [judge.judge(cells) for cells in given]
    details = [problem.as_json() | {"entry": 1} for problem in problems]
    for place, found in enumerate(judged, 1):
        details += [problem.as_json() | {"entry": place} for problem in found.problems]
    if details:
        raise ValidationRefused(details)
    entries = [found.entry for found in judged if found.entry is not None]
    return entries, [found.warnings for found in judged]


def _judge() -> Judge:
    return Judge(read_dictionaries(), day_first=day_first())


def _require(user: User, deed: str, surface: str) -> None:
    require_permission(user, "guarantees.add_guarantee", deed=deed, surface=surface)


def _refuse_text(code: str, message: str) -> None:
    raise ValidationRefused([{"field": "text", "code": code, "message": message, "entry": 1}])
