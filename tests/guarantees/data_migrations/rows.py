"""Staged rows for tests: as values for the pure transform, and in the database."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from guarantees.data_migrations.split_imported_records import ActionStep, GuaranteeStep
from guarantees.data_migrations.split_links import Known
from guarantees.models import ImportedRecord, ImportSession
from migrations_tools.definitions import Apply, Ensure, Insert, Outcome, Update, Warning_
from migrations_tools.definitions.options import NoOptions

RIYADH = ZoneInfo("Asia/Riyadh")
STAGED_AT = datetime(2026, 1, 1, tzinfo=UTC)

#: A row of an Excel file with nothing wrong.
GOOD = {
    "raw_supplier_name": "شركة النور للمقاولات",
    "raw_bank_name": "Bank One",
    "amount": "445930.440",
    "guarantee_number": "LG-1001",
    "issue_date": "2024-03-01",
    "expiry_date": "31-12-2025",
    "match_status": "ready",
    "supplier_id": 1,
    "bank_id": 1,
    "created_at": "2024-03-05 08:00:00",
    "contract_number": "C-7",
    "type": "Final",
    "comment": "as agreed",
    "bank_display": "البنك الأول",
    "supplier_display_name": "النور",
    "related_to": "contract",
    "record_type": "import",
}
SESSION = {
    "session_type": "excel",
    "session_created_at": "2024-03-05 07:59:00",
    "session_file_name": "march.xlsx",
    "session_staged_at": STAGED_AT,
}
_numbers = count(10_000)


def guarantee_row(**values: Any) -> Any:
    """A row as `GuaranteeStep` reads it."""
    return _row(GuaranteeStep, values)


def action_row(action_type: str, **values: Any) -> Any:
    """A row as `ActionStep` reads it."""
    return _row(ActionStep, {"record_type": f"{action_type}_action"} | values, action_type)


def _row(step: Any, values: dict[str, Any], action_type: str = "") -> Any:
    fixed = {"id": 17, "content_hash": b"x", "staged_at": STAGED_AT, "session_id": 50}
    given = GOOD | SESSION | fixed | {"action_type": action_type} | values
    make = step.source.row_class()
    return make(*(given.get(name) for name in make._fields))


def known(**values: Any) -> Known:
    """What is known beside the row: supplier 1 and bank 1 exist, days are those of Riyadh."""
    defaults: dict[str, Any] = {"suppliers": {1}, "banks": {1}, "day_first": True, "zone": RIYADH}
    return Known(**(defaults | values))


def transform_guarantee(known: Known, **values: Any) -> Outcome:
    return GuaranteeStep(NoOptions()).transform(guarantee_row(**values), known)


def transform_action(action_type: str, known: Known, **values: Any) -> Outcome:
    return ActionStep(NoOptions()).transform(action_row(action_type, **values), known)


def applied(outcome: Outcome) -> Apply:
    assert isinstance(outcome, Apply), outcome
    return outcome


def inserted(outcome: Outcome) -> Any:
    """The new object of an outcome; what its foreign keys name is in its attributes."""
    (insert,) = [change for change in applied(outcome).changes if isinstance(change, Insert)]
    return insert.obj


def ensured(outcome: Outcome) -> Ensure | None:
    """The batch of an outcome."""
    found = [change for change in applied(outcome).changes if isinstance(change, Ensure)]
    return found[0] if found else None


def updated(outcome: Outcome) -> dict[str, Any]:
    """What the outcome sets on the old row."""
    (update,) = [change for change in applied(outcome).changes if isinstance(change, Update)]
    return update.values


def warnings(outcome: Outcome) -> dict[str, str]:
    """Detail by code."""
    found = {}
    for warning in applied(outcome).warnings:
        assert isinstance(warning, Warning_)
        found[warning.code] = warning.detail
    return found


def stage_session(pk: int, session_type: str | None = "excel", **values: Any) -> ImportSession:
    defaults = {"created_at": "2024-03-05 07:59:00", "file_name": f"file-{pk}.xlsx"}
    return ImportSession.objects.create(id=pk, session_type=session_type, **(defaults | values))


def stage(session: int | None = None, **values: Any) -> ImportedRecord:
    """A good row in the database, in the session of that id; supplier and bank are left out."""
    number = next(_numbers)
    defaults = GOOD | {
        "id": number,
        "guarantee_number": f"LG-{number}",
        "session_id": session,
        "supplier_id": None,
        "bank_id": None,
        "content_hash": number.to_bytes(32, "big"),
    }
    return ImportedRecord.objects.create(**(defaults | values))
