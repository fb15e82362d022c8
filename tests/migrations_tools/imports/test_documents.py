"""Collections of documents: kept whole, found again by id, natural key or content."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.migrations_tools.imports.conftest import Paper
from tests.migrations_tools.imports.importing import counts, import_file, lines
from tests.migrations_tools.imports.readers.test_json import documents

pytestmark = pytest.mark.usefixtures("staging")


def test_the_line_is_verbatim_and_the_document_plain(tmp_path: Path) -> None:
    line = '{ "_id": {"$oid": "507f1f77bcf86cd799439011"}, "b": 1.50,  "a": "x\\u0000\\ud800y" }'
    import_file("papers", lines(tmp_path / "a.jsonl", line))
    paper = Paper.objects.get()
    assert paper.key == "507f1f77bcf86cd799439011"
    assert paper.line == line
    assert paper.document == {"_id": paper.key, "a": "x\ufffd\ufffdy", "b": 1.5}


def test_absent_and_null_stay_different(tmp_path: Path) -> None:
    import_file("papers", lines(tmp_path / "a.jsonl", {"id": 1, "access": None}, {"id": 2}))
    assert list(Paper.objects.order_by("key").values_list("document", flat=True)) == [
        {"id": 1, "access": None},
        {"id": 2},
    ]


def test_identity_is_the_own_id_then_the_natural_key_then_the_content(tmp_path: Path) -> None:
    rows = [
        {"_id": "x", "id": 5},
        {"id": 5},
        {"_id": None, "id": "", "author": "sam", "year": 2022},
        {"author": "sam"},
        {"_id": {"b": 1, "a": 2}},
        {"_id": "l" * 5000},
        {"_id": "a\x00"},
        {},
    ]
    import_file("papers", lines(tmp_path / "a.jsonl", *rows))
    key_of = dict(Paper.objects.values_list("line", "key"))
    keys = [key_of[json.dumps(row)] for row in rows]
    assert keys[:3] == ["x", "5", '["sam", 2022]']
    assert keys[4] == '{"a": 2, "b": 1}'
    assert keys[6] == '"a\\u0000"'
    assert all(key.startswith("sha256:") for key in (keys[3], keys[5], keys[7]))
    assert Paper.objects.filter(author="sam").count() == 2


def test_the_last_of_several_documents_with_one_id_wins(tmp_path: Path) -> None:
    path = lines(tmp_path / "a.jsonl", {"_id": 1, "n": 1}, {"_id": 2}, {"_id": 1, "n": 2})
    assert counts(import_file("papers", path)) == (2, 0, 1, 0)
    assert Paper.objects.get(key="1").document == {"_id": 1, "n": 2}
    assert counts(import_file("papers", path)) == (0, 0, 3, 0)


def test_lines_arrays_and_csv_are_the_same_documents(tmp_path: Path) -> None:
    rows = [{"id": "1", "t": "ش"}, {"t": "no id", "id": None}, {"id": "2", "t": "\\u0000"}]
    import_file("papers", lines(tmp_path / "a.jsonl", *rows))
    (tmp_path / "b.json").write_text(json.dumps(rows, indent=2, ensure_ascii=False))
    assert counts(import_file("papers", tmp_path / "b.json")) == (0, 0, 3, 0)
    (tmp_path / "c.csv").write_text("id,t\n1,ش\n,no id\n2,\\u0000\n")
    assert counts(import_file("papers", tmp_path / "c.csv")) == (0, 0, 3, 0)


def test_columns_of_csv_files_are_known_however_they_are_written(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("ID,Author ,YEAR,year,Page Count\n7,sam,1,2022,3\n")
    import_file("papers", tmp_path / "a.csv")
    paper = Paper.objects.get()
    assert paper.key == "7"
    assert paper.document == {
        "id": "7", "author": "sam", "YEAR": "1", "year": "2022", "Page Count": "3",
    }  # fmt: skip


def test_the_same_types_in_all_versions_of_extended_json_are_no_change(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    import_file("papers", lines(path, '{"_id": 1, "at": {"$date": "2025-05-01T00:00:00Z"}}'))
    canonical = '{"_id": {"$numberInt": "1"}, "at": {"$date": {"$numberLong": "1746057600000"}}}'
    assert counts(import_file("papers", lines(path, canonical))) == (0, 0, 1, 0)


def test_every_object_is_staged_whatever_its_shape_and_nothing_else(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "a.jsonl", {}, {"attempts": "none"}, "[]", "null", "7", "{broken", {"_id": []}
    )
    legacy_import = import_file("papers", path)
    assert counts(legacy_import) == (3, 0, 0, 4)
    assert list(legacy_import.rejected_lines.values_list("line", "code", "text")) == [
        (3, "not_an_object", "[]"),
        (4, "not_an_object", "null"),
        (5, "not_an_object", "7"),
        (6, "invalid_json", "{broken"),
    ]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.lists(documents, min_size=1, max_size=5), number=st.decimals(allow_nan=False))
def test_whatever_can_be_read_can_be_stored_and_is_then_unchanged(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Any], number: Any
) -> None:
    path = tmp_path_factory.mktemp("papers") / "a.jsonl"
    written = [json.dumps(row) for row in rows] + [f'{{"number": {number}}}']
    with transaction.atomic():
        first = import_file("papers", lines(path, *written))
        assert first.rejected == (number in ("Infinity",) or _no_json(str(number)))
        again = import_file("papers", path)
        assert (again.imported, again.updated) == (0, 0)
        assert set(Paper.objects.values_list("line", flat=True)) <= set(written)
        transaction.set_rollback(True)


def _no_json(number: str) -> bool:
    try:
        json.loads(number)
    except ValueError:
        return True
    exponent = number.upper().partition("E")[2]
    return bool(exponent) and abs(int(exponent)) > 3000
