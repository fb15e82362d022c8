"""``generate_legacy guarantees``: what is in the file."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from guarantees.legacy_generators import generate_guarantees
from guarantees.reading import ValueNotUnderstood, read_amount, read_date, read_legacy_instant

TABLES = {
    "suppliers",
    "supplier_alternative_names",
    "supplier_overrides",
    "banks",
    "bank_aliases_learning",
    "import_sessions",
    "imported_records",
}


def generated(path: Path, **arguments: Any) -> dict[str, list[dict[str, Any]]]:
    counts = generate_guarantees(path, **{"rows": 3000, "seed": 1, "defects": 0.0} | arguments)
    with closing(sqlite3.connect(path)) as database:
        database.row_factory = sqlite3.Row
        tables = {
            table: [dict(row) for row in database.execute(f"SELECT * FROM {table}")]
            for table in counts
        }
    assert {table: len(rows) for table, rows in tables.items()} == counts
    return tables


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    return generated(tmp_path_factory.mktemp("clean") / "clean.sqlite")


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    return generated(tmp_path_factory.mktemp("faulty") / "faulty.sqlite", defects=0.6)


def test_the_file_has_the_seven_tables_and_as_many_records_as_asked(clean):
    assert set(clean) == TABLES
    assert len(clean["imported_records"]) == 3000
    assert 100 < len(clean["import_sessions"]) < 250
    assert all(clean.values())


@pytest.mark.parametrize("rows", [0, 1, 2, 21])
def test_small_files_are_possible(tmp_path, rows):
    assert len(generated(tmp_path / "small.sqlite", rows=rows)["imported_records"]) == rows


def test_the_same_arguments_give_the_same_file_and_another_seed_another(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        generate_guarantees(tmp_path / name, rows=500, seed=seed, defects=0.3)
    first, second, third = ((tmp_path / name).read_bytes() for name in "abc")
    assert first == second != third


def test_without_defects_every_value_is_understood_and_every_reference_resolves(clean):
    ids = {table: {row["id"] for row in clean[table]} for table in TABLES}
    numbers = set()
    for record in clean["imported_records"]:
        assert read_amount(record["amount"])
        assert read_date(record["issue_date"])
        assert read_date(record["expiry_date"])
        assert read_legacy_instant(record["created_at"])
        assert record["session_id"] in ids["import_sessions"]
        assert record["supplier_id"] in ids["suppliers"] | {None}
        assert record["bank_id"] in ids["banks"] | {None}
        if record["record_type"] == "import":
            numbers.add(record["guarantee_number"])
        else:
            assert record["guarantee_number"] in numbers  # imported before
    assert len(ids["imported_records"]) == 3000


def test_records_count_in_their_sessions_and_follow_time(clean):
    records = clean["imported_records"]
    for session in clean["import_sessions"]:
        of_session = [record for record in records if record["session_id"] == session["id"]]
        assert session["record_count"] == len(of_session)
    times = [record["created_at"] for record in records if record["record_type"] == "import"]
    assert times[0] < times[-1]


def test_proportions_are_those_of_a_department(clean):
    records = clean["imported_records"]
    actions = [record for record in records if record["record_type"] != "import"]
    assert 0.02 < len(actions) / len(records) < 0.15
    imports = [r["guarantee_number"] for r in records if r["record_type"] == "import"]
    assert 0.01 < 1 - len(set(imports)) / len(imports) < 0.06  # numbers repeat
    assert any("ش" in record["raw_supplier_name"] for record in records)


def test_every_session_type_and_record_type_occurs(faulty):
    assert {
        "excel",
        "manual",
        "smart_paste",
        "extension_action",
        "release_action",
        "daily_actions",
        "Manual Entry",
        None,
    } <= {session["session_type"] for session in faulty["import_sessions"]}
    assert {
        None,
        "",
        "import",
        "modification",
        "release_action",
        "renewal_request",
        "extension_action",
    } <= {record["record_type"] for record in faulty["imported_records"]}


def fails(read: Any, value: Any) -> bool:
    try:
        read(value)
    except ValueNotUnderstood:
        return True
    return False


def test_defects_are_those_that_the_rules_speak_of(faulty):
    records = faulty["imported_records"]
    suppliers = {row["id"] for row in faulty["suppliers"]}
    sessions = {row["id"]: row["session_type"] for row in faulty["import_sessions"]}
    examples = {
        "no id": lambda r: r["id"] is None,
        "no number": lambda r: r["guarantee_number"] is None,
        "blank number": lambda r: not (r["guarantee_number"] or "x").strip(),
        "dangling supplier": lambda r: r["supplier_id"] not in suppliers | {None},
        "dangling session": lambda r: r["session_id"] not in set(sessions) | {None},
        "no session": lambda r: r["session_id"] is None,
        "bad date": lambda r: fails(read_date, r["expiry_date"]),
        "bad amount": lambda r: fails(lambda v: read_amount(v, legacy=True), r["amount"]),
        "unusual amount": lambda r: r["amount"] == "-500.00",
        "no time": lambda r: r["created_at"] is None,
        "no status": lambda r: r["match_status"] is None,
        "no raw name": lambda r: r["raw_supplier_name"] is None,
        "import among actions": lambda r: (
            r["record_type"] == "import" and sessions.get(r["session_id"]) == "extension_action"
        ),
    }
    missing = [name for name, holds in examples.items() if not any(map(holds, records))]
    assert missing == []


def test_the_share_of_defects_is_about_what_was_asked(tmp_path):
    clean = generated(tmp_path / "a.sqlite", rows=4000)["imported_records"]
    some = generated(tmp_path / "b.sqlite", rows=4000, defects=0.1)["imported_records"]
    assert all(record["id"] for record in clean)
    without_id = sum(record["id"] is None for record in some)
    assert 5 < without_id < 60  # one kind of many
