"""What is imported of the old guarantee system: its database, or a file for each table."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from guarantees.models import (
    Bank,
    BankAlias,
    ImportedRecord,
    ImportSession,
    Supplier,
    SupplierAlias,
    SupplierOverride,
)
from guarantees.names import ARABIC_LETTER, normalize_name
from migrations_tools.imports.kinds import ImportKind, register
from migrations_tools.imports.live import LiveTable
from migrations_tools.imports.rows import RowTable
from migrations_tools.imports.tables import RowRefusedError


def _normalize(values: dict[str, Any], name: str) -> None:
    """Fill ``normalized_name``. Raises RowRefusedError where there is no name."""
    if not name.strip():
        raise RowRefusedError("name_missing", gettext_noop("The row has no name."))
    values["normalized_name"] = normalize_name(name)


def _complete_named(values: dict[str, Any]) -> None:
    _normalize(values, values.get("name", ""))


def _complete_bank(values: dict[str, Any]) -> None:
    """A name stands in the column of its language, whichever column it came from."""
    name_ar, name_en = values.get("name_ar", ""), values.get("name_en", "")
    if name_ar and not name_en and not ARABIC_LETTER.search(name_ar):
        values["name_en"] = values.pop("name_ar")
    elif name_en and not name_ar and ARABIC_LETTER.search(name_en):
        values["name_ar"] = values.pop("name_en")
    _normalize(values, name_en or name_ar or values.get("short_code", ""))


_SESSIONS = RowTable(
    "import_sessions",
    ImportSession,
    other_names=("sessions", "importsession"),
    columns={
        "session_type": ("session_type", "source_type", "type"),
        "record_count": ("record_count", "records_count", "total_records"),
        "created_at": ("created_at", "imported_at", "date"),
        "file_name": ("file_name", "filename", "original_filename"),
    },
)

_RECORDS = RowTable(
    "imported_records",
    ImportedRecord,
    other_names=("records", "importedrecord"),
    columns={
        "session_id": ("session_id", "import_session_id"),
        "raw_supplier_name": ("raw_supplier_name", "supplier_name", "raw_supplier", "اسم المورد"),
        "raw_bank_name": ("raw_bank_name", "bank_name", "raw_bank", "اسم البنك"),
        "amount": ("amount", "raw_amount", "المبلغ"),
        "guarantee_number": ("guarantee_number", "guarantee_no", "رقم الضمان"),
        "issue_date": ("issue_date", "تاريخ الإصدار"),
        "expiry_date": ("expiry_date", "expiration_date", "تاريخ الانتهاء"),
        "normalized_supplier": ("normalized_supplier",),
        "normalized_bank": ("normalized_bank",),
        "match_status": ("match_status", "status"),
        "supplier_id": ("supplier_id",),
        "bank_id": ("bank_id",),
        "created_at": ("created_at", "imported_at"),
        "decision_result": ("decision_result",),
        "contract_number": ("contract_number", "contract_no", "رقم العقد"),
        "type": ("type", "guarantee_type", "نوع الضمان"),
        "comment": ("comment", "comments", "notes", "ملاحظات"),
        "bank_display": ("bank_display", "bank_display_name"),
        "supplier_display_name": ("supplier_display_name", "supplier_display"),
        "related_to": ("related_to", "contract_source"),
        "record_type": ("record_type",),
    },
)

_SUPPLIERS = LiveTable(
    "suppliers",
    Supplier,
    other_names=("supplier",),
    keeps_id=True,
    natural_key=("name",),
    complete=_complete_named,
    columns={
        "name": ("official_name", "name", "supplier_name", "official_name_ar", "اسم المورد"),
        "display_name": ("display_name",),
        "created_at": ("created_at",),
    },
)

_SUPPLIER_ALIASES = LiveTable(
    "supplier_alternative_names",
    SupplierAlias,
    other_names=("supplier_aliases", "supplier_aliases_learning"),
    keeps_id=False,
    natural_key=("supplier_id", "name"),
    complete=_complete_named,
    columns={
        "supplier_id": ("supplier_id", "linked_supplier_id"),
        "name": (
            "alternative_name",
            "raw_name",
            "alias",
            "original_supplier_name",
            "input_name",
            "name",
        ),
        "source": ("source", "learning_source"),
        "uses": ("occurrence_count", "usage_count", "uses"),
        "created_at": ("created_at",),
    },
)

_SUPPLIER_OVERRIDES = LiveTable(
    "supplier_overrides",
    SupplierOverride,
    other_names=("supplier_override",),
    keeps_id=False,
    natural_key=("supplier_id", "name"),
    complete=_complete_named,
    columns={
        "supplier_id": ("supplier_id",),
        "name": ("override_name", "raw_name", "raw_supplier_name", "input_name", "name"),
        "notes": ("notes", "reason", "comment"),
        "created_at": ("created_at",),
    },
)

_BANKS = LiveTable(
    "banks",
    Bank,
    other_names=("bank",),
    keeps_id=True,
    natural_key=("name_en", "name_ar"),
    complete=_complete_bank,
    columns={
        "short_code": ("short_code", "short_name", "code"),
        "name_en": ("official_name_en", "english_name", "bank_name", "name"),
        "name_ar": ("official_name_ar", "arabic_name", "official_name", "اسم البنك"),
        "created_at": ("created_at",),
    },
)

_BANK_ALIASES = LiveTable(
    "bank_aliases_learning",
    BankAlias,
    other_names=("bank_aliases", "bank_alternative_names"),
    keeps_id=False,
    natural_key=("bank_id", "name"),
    complete=_complete_named,
    columns={
        "bank_id": ("bank_id", "linked_bank_id"),
        "name": ("input_name", "alias", "alternative_name", "raw_name", "name"),
        "source": ("source", "learning_source", "decision"),
        "uses": ("usage_count", "occurrence_count", "uses"),
        "created_at": ("created_at", "updated_at"),
    },
)

register(
    ImportKind(
        name="guarantees",
        title=_("Bank guarantees"),
        what=_(
            "The old department's SQLite database, or one of its tables as CSV or JSON: records, "
            "import sessions, suppliers, banks and their other names."
        ),
        group=_("Guarantee department"),
        migration="split_imported_records",
        tables=[
            _SUPPLIERS,
            _SUPPLIER_ALIASES,
            _SUPPLIER_OVERRIDES,
            _BANKS,
            _BANK_ALIASES,
            _SESSIONS,
            _RECORDS,
        ],
    )
)
