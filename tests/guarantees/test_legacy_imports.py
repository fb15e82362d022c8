"""The old guarantee system's database, in its shapes, becomes staged rows and dictionaries."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection

from guarantees.models import (
    Bank,
    BankAlias,
    ImportedRecord,
    ImportSession,
    Supplier,
    SupplierAlias,
    SupplierOverride,
)
from guarantees.names import normalize_name
from tests.migrations_tools.imports.importing import Tables, counts, database, import_file, lines

pytestmark = pytest.mark.django_db

DICTIONARIES: Tables = {
    "supplier_alternative_names": (
        "id INTEGER PRIMARY KEY, supplier_id INTEGER, raw_name TEXT, source TEXT, "
        "occurrence_count INTEGER",
        [(1, 7, "Acme Trading", "learning", 3), (2, 99, "Nobody", None, 1), (3, 7, " ", None, 0)],
    ),
    "suppliers": (
        "id INTEGER PRIMARY KEY, official_name TEXT, display_name TEXT, created_at TEXT",
        [
            (7, "ACME Co. Ltd", "Acme", "2024-01-02 03:04:05"),
            (12, "شركة البناء المحدودة", None, "?"),
        ],
    ),
    "supplier_overrides": (
        "id INTEGER PRIMARY KEY, supplier_id INTEGER, override_name TEXT, notes TEXT",
        [(1, 12, "Binaa", "by hand")],
    ),
    "banks": (
        "id INTEGER PRIMARY KEY, official_name TEXT, official_name_en TEXT, short_code TEXT",
        [
            (3, "بنك الرياض", "Riyad Bank", "RIBL"),
            (4, "SAB", None, None),
            (5, "بنك ساب", None, None),
        ],
    ),
    "bank_aliases_learning": (
        "id INTEGER PRIMARY KEY, input_name TEXT, bank_id INTEGER, usage_count INTEGER",
        [(1, "Riyadh", 3, 2)],
    ),
}


def test_a_whole_database(tmp_path: Path) -> None:
    path = database(
        tmp_path / "department.db",
        {
            "import_sessions": (
                "id INTEGER PRIMARY KEY, session_type TEXT, record_count INTEGER, created_at TEXT",
                [(50, "excel", 2, "2025-05-01 08:00:00")],
            ),
            "imported_records": (
                "id INTEGER, session_id INTEGER, raw_supplier_name TEXT, amount TEXT, "
                "guarantee_number TEXT, supplier_id INTEGER, future_column TEXT",
                [
                    (1, 50, "ACME", "1,234", "LG-1", 7, "kept"),
                    (None, 50, None, "x", None, 999, None),
                ],
            ),
            "settings": ("id, value", [(1, "ignored")]),
            **DICTIONARIES,
        },
    )
    first = import_file("guarantees", path)
    assert counts(first) == (11, 0, 0, 2)
    rejected = first.rejected_lines.values_list("table", "line", "code")
    assert list(rejected) == [
        ("supplier_alternative_names", 3, "name_missing"),
        ("supplier_alternative_names", 2, "unknown_supplier"),
    ]
    session = ImportSession.objects.get()
    assert (session.pk, session.session_type, session.created_at) == (
        50,
        "excel",
        "2025-05-01 08:00:00",
    )
    good, without_id = ImportedRecord.objects.order_by("id")
    assert (good.pk, good.session_id, good.amount, good.supplier_id) == (1, 50, "1,234", 7)
    assert good.extra == {"future_column": "kept"}
    assert (without_id.pk, without_id.guarantee_number, without_id.supplier_id) == (2, None, 999)
    assert counts(import_file("guarantees", path)) == (0, 0, 11, 2)


def test_the_older_shape_of_sessions(tmp_path: Path) -> None:
    path = database(
        tmp_path / "old.db",
        {"import_sessions": ("id, source_type TEXT, filename TEXT", [(1, "manual", "a.xlsx")])},
    )
    import_file("guarantees", path)
    session = ImportSession.objects.get()
    assert (session.session_type, session.file_name) == ("manual", "a.xlsx")


@pytest.mark.parametrize("table", ["imported_records", "import_sessions", "suppliers", "banks"])
def test_one_file_for_each_table(tmp_path: Path, table: str) -> None:
    path = lines(tmp_path / f"{table}.jsonl", {"id": 5, "name": "Some"}, {"name": "Other"})
    assert counts(import_file("guarantees", path)) == (2, 0, 0, 0)
    assert counts(import_file("guarantees", path)) == (0, 0, 2, 0)


class TestDictionaries:
    def test_names_keep_their_ids_and_are_comparable(self, tmp_path: Path) -> None:
        import_file("guarantees", database(tmp_path / "a.db", DICTIONARIES))
        acme = Supplier.objects.get(pk=7)
        assert (acme.name, acme.display_name, acme.normalized_name) == (
            "ACME Co. Ltd",
            "Acme",
            "acme",
        )
        assert acme.created_at.isoformat() == "2024-01-02T03:04:05+00:00"
        [alias] = SupplierAlias.objects.values_list("supplier_id", "name", "source", "uses")
        assert alias == (7, "Acme Trading", "learning", 3)
        assert SupplierOverride.objects.values_list("supplier_id", "name", "notes").get() == (
            12,
            "Binaa",
            "by hand",
        )
        banks = Bank.objects.order_by("id").values_list("name_en", "name_ar", "short_code")
        assert list(banks) == [
            ("Riyad Bank", "بنك الرياض", "RIBL"),
            ("SAB", "", ""),
            ("", "بنك ساب", ""),
        ]
        assert BankAlias.objects.values_list("bank_id", "name", "uses").get() == (3, "Riyadh", 2)
        assert Supplier.objects.create(name="Next").pk > 12

    def test_history_tells_who_brought_them(self, tmp_path: Path) -> None:
        latest = import_file("guarantees", database(tmp_path / "a.db", DICTIONARIES))
        entry = Supplier.objects.get(pk=7).history.get()
        assert (entry.history_type, entry.history_change_reason) == ("+", f"import {latest.pk}")
        assert entry.history_user == latest.actor

    def test_a_changed_name_is_updated_unless_somebody_changed_it_here(
        self, tmp_path: Path
    ) -> None:
        path = tmp_path / "suppliers.jsonl"
        import_file("guarantees", lines(path, {"id": 1, "name": "A"}, {"id": 2, "name": "B"}))
        mine = Supplier.objects.get(pk=2)
        mine.name = "Mine"
        mine.save()
        lines(path, {"id": 1, "name": "A2"}, {"id": 2, "name": "B2"})
        assert counts(import_file("guarantees", path)) == (0, 1, 1, 0)
        assert list(Supplier.objects.order_by("id").values_list("name", flat=True)) == [
            "A2",
            "Mine",
        ]

    def test_an_id_that_belongs_to_a_supplier_made_here(self, tmp_path: Path) -> None:
        Supplier.objects.create(pk=1, name="Here")
        path = lines(tmp_path / "suppliers.jsonl", {"id": 1, "name": "There"})
        legacy_import = import_file("guarantees", path)
        assert legacy_import.rejected_lines.get().code == "id_taken"
        assert Supplier.objects.get().name == "Here"

    def test_an_id_that_occurs_twice(self, tmp_path: Path) -> None:
        path = tmp_path / "suppliers.jsonl"
        lines(path, {"id": 1, "name": "A"}, {"id": 1, "name": "A"}, {"id": 1, "name": "B"})
        legacy_import = import_file("guarantees", path)
        assert counts(legacy_import) == (1, 0, 1, 1)
        assert legacy_import.rejected_lines.get().code == "duplicate_key"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ACME Co. Ltd.", "acme"),
        ("شركة الأمانة المحدودة", "الامانه"),
        ("مؤسسة  البناء", "البناء"),
        ("Al-Rajhi", "al rajhi"),
        ("بَنْك", "بنك"),
    ],
)
def test_names_that_make_no_difference(one: str, other: str) -> None:
    assert normalize_name(one) == normalize_name(other)


def test_a_name_of_company_words_stays_a_name() -> None:
    assert normalize_name("The Company") == "the company"


def test_a_first_import_does_not_wait_for_somebody_who_writes(tmp_path: Path) -> None:
    """His row is not to be seen yet: he has the number of none of the file's."""
    path = lines(tmp_path / "imported_records.jsonl", {"id": 1, "amount": "5"})
    somebody = connection.copy()
    somebody.set_autocommit(False)
    try:
        with somebody.cursor() as cursor:
            cursor.execute("INSERT INTO guarantees_importedrecord (id) VALUES (1000)")
            assert counts(import_file("guarantees", path)) == (1, 0, 0, 0)
            cursor.execute("SELECT count(*) FROM guarantees_importedrecord")
            assert cursor.fetchone() == (1,)
    finally:
        somebody.rollback()
        somebody.close()
    assert list(ImportedRecord.objects.values_list("id", "amount")) == [(1, "5")]
