"""The history of a number: everything that happened to its guarantees (guarantees.md "History").

Imports, actions, changes by people, and rows of the old system that were not carried over yet;
each once, the newest first, in a constant number of queries.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from django.db.models import Q, QuerySet, Value
from django.db.models.functions import MD5
from django.utils.translation import gettext

from guarantees.action_errors import NotFound
from guarantees.models import ActionStatus, ActionType, Guarantee, GuaranteeAction, ImportedRecord
from guarantees.models.json_values import kept
from guarantees.models.number import comparable, trimmed
from guarantees.reading import (
    ValueNotUnderstood,
    day_first,
    read_amount,
    read_date,
    read_legacy_instant,
)
from migrations_tools.text import storable

#: What a version of a guarantee consists of; columns of guarantees and of their history.
FIELDS: Final = (
    "number",
    "raw_supplier_name",
    "raw_bank_name",
    "supplier_id",
    "bank_id",
    "contract_number",
    "related_to",
    "amount",
    "currency",
    "issue_date",
    "expiry_date",
    "type",
    "comment",
    "match_status",
    "status",
)
#: Of an old row, the columns that say the same.
_LEGACY: Final = (
    "raw_supplier_name",
    "raw_bank_name",
    "supplier_id",
    "bank_id",
    "contract_number",
    "related_to",
    "type",
    "comment",
)
#: Beginnings of the reasons of changes that something else tells of: the import, the action.
_TOLD_ELSEWHERE: Final = ("run ", "issue ")

IMPORT, ACTION, CHANGE, LEGACY = "import", "action", "change", "legacy"
_RANKS: Final = {LEGACY: 0, IMPORT: 1, CHANGE: 2, ACTION: 3}

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    ``kind`` is import, action, change (by a person) or legacy (a row not carried over).
    ``differences`` are field → [before, after], as JSON keeps values; of the first event there are
    none. ``of`` names the object: its id, and that of its guarantee.
    """

    kind: str
    at: datetime
    source: str
    title: str
    by: str
    reason: str
    of: dict[str, int | None]
    values: Values
    known_differences: dict[str, list[Any]] = field(default_factory=dict)
    counts: bool = True  # a draft has changed nothing yet

    def as_json(self, differences: dict[str, list[Any]]) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "at": self.at.isoformat(),
            "source": self.source,
            "title": self.title,
            "by": self.by,
            "reason": self.reason,
            **self.of,
            "differences": differences,
        }


def history_of_number(number: str) -> list[dict[str, Any]]:
    """What happened to the guarantees of ``number``, the newest first. Raises NotFound.

    White space around a number makes no difference. Each entry says what differs from the version
    before it, whichever guarantee of the number that was.
    """
    events = _events(number)
    if not events:
        raise NotFound(
            gettext("Nothing is known of a guarantee “%(number)s”.")
            % {"number": comparable(number)},
            number=number,
        )
    events.sort(key=lambda event: (event.at, _RANKS[event.kind], *map(str, event.of.values())))
    version: dict[str, Any] = {}
    told = []
    for event in events:
        new = {name: kept(value) for name, value in event.values.items()}
        differences = event.known_differences or {
            name: [version.get(name), value]
            for name, value in new.items()
            if version and version.get(name) != value
        }
        told.append(event.as_json(differences))
        if event.counts:
            version |= new
    return told[::-1]


def _events(number: str) -> list[Event]:
    text = comparable(number)
    if not text or not storable(text):
        return []
    guarantees = list(Guarantee.objects.with_number(text).select_related("batch"))
    versions: dict[int, list[Any]] = {found.pk: [] for found in guarantees}
    stored = Guarantee.history.filter(id__in=versions).select_related("history_user")
    for version in stored.order_by("history_date", "history_id"):
        versions[version.id].append(version)
    actions = GuaranteeAction.objects.alias(number_key=MD5(trimmed("number"))).filter(
        Q(number_key=MD5(Value(text))) | Q(guarantee__in=list(versions))
    )
    return [
        *(_imported(found, versions[found.pk]) for found in guarantees),
        *_changed(versions.values()),
        *map(_acted, actions.select_related("created_by")),
        *map(_waiting, _waiting_rows(text)),
    ]


def _imported(guarantee: Guarantee, versions: list[Any]) -> Event:
    """The guarantee as it came in: its oldest version."""
    first = versions[0] if versions and versions[0].history_type == "+" else guarantee
    values = {name: getattr(first, name) for name in FIELDS}
    return Event(
        kind=IMPORT,
        at=guarantee.created_at,
        source=str(guarantee.batch),
        title=gettext("Imported as guarantee %(guarantee)s") % {"guarantee": guarantee.pk},
        by=guarantee.batch.uploaded_by,
        reason="",
        of={"id": guarantee.pk, "guarantee": guarantee.pk},
        values=values,
    )


def _changed(versions: Iterable[list[Any]]) -> Iterator[Event]:
    """What people changed otherwise than by an action, each with what the row was before."""
    for rows in versions:
        for before, after in pairwise(rows):
            reason = after.history_change_reason or ""
            if after.history_type != "~" or reason.startswith(_TOLD_ELSEWHERE):
                continue
            differences = {
                name: [kept(getattr(before, name)), kept(getattr(after, name))]
                for name in FIELDS
                if getattr(before, name) != getattr(after, name)
            }
            if differences:
                yield Event(
                    kind=CHANGE,
                    at=after.history_date,
                    source=gettext("changed by hand"),
                    title=gettext("Guarantee %(after)s changed") % {"after": after.id},
                    by=after.history_user.get_username() if after.history_user else "",
                    reason=reason,
                    of={"id": after.history_id, "guarantee": after.id},
                    values={name: new for name, (_, new) in differences.items()},
                    known_differences=differences,
                )


def _acted(action: GuaranteeAction) -> Event:
    changes = {
        f"{name}_id" if name in ("supplier", "bank") else name: list(pair)
        for name, pair in action.changes.items()
    }
    for name, old, new in (
        ("expiry_date", action.previous_expiry, action.new_expiry),
        ("amount", action.previous_amount, action.new_amount),
    ):
        if new is not None:
            changes[name] = [kept(old), kept(new)]
    values = {name: new for name, (_, new) in changes.items()}
    if action.action_type == ActionType.RELEASE:
        values["status"] = "released"
    # the old system did not keep what an extension extended
    known = any(old is not None for old, _ in changes.values())
    is_issued = action.status == ActionStatus.ISSUED
    return Event(
        kind=ACTION,
        at=action.issued_at or action.created_at,
        source=gettext("action") if action.created_by_id else gettext("action of the old system"),
        title=f"{ActionType(action.action_type).label.capitalize()}"
        + ("" if is_issued else f" ({gettext('draft')})"),
        by=action.created_by.get_username() if action.created_by else "",
        reason=action.reason or action.notes,
        of={"id": action.pk, "guarantee": action.guarantee_id},
        values=values,
        known_differences=changes if known else {},
        counts=is_issued,
    )


def _waiting_rows(number: str) -> QuerySet[ImportedRecord]:
    """Old rows of the number that became nothing yet."""
    return (
        ImportedRecord.objects.alias(trimmed_number=trimmed("guarantee_number"))
        .filter(
            trimmed_number=number, migrated_guarantee__isnull=True, migrated_action__isnull=True
        )
        .with_session()
    )


def _waiting(record: Any) -> Event:
    """An old row with its values as they are read, or as they are written where they cannot be."""
    values: dict[str, Any] = {name: getattr(record, name) or "" for name in _LEGACY}
    values |= {"supplier_id": record.supplier_id, "bank_id": record.bank_id}
    values["amount"] = _read(record.amount, lambda text: read_amount(text, legacy=True))
    order = day_first()
    for name in ("issue_date", "expiry_date"):
        text = getattr(record, name)
        values[name] = _read(text, lambda text: read_date(text, day_first=order))
    at = _read(record.created_at, read_legacy_instant)
    if not isinstance(at, datetime):
        at = _read(record.session_created_at, read_legacy_instant)
    return Event(
        kind=LEGACY,
        at=at if isinstance(at, datetime) else record.staged_at,
        source=gettext("old row %(record)s, not carried over yet") % {"record": record.pk},
        title=gettext("Old row of type “%(record_type)s”")
        % {"record_type": record.record_type or "import"},
        by="",
        reason="",
        of={"id": record.pk, "guarantee": None},
        values=values,
    )


def _read(text: str | None, reader: Any) -> Any:
    try:
        return reader(text)
    except ValueNotUnderstood:
        return text
