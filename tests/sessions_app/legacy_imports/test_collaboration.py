"""``import_legacy collaboration``: every document as it is, under the session that it names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from sessions_app.models import LegacyCollaborationRow
from tests.sessions_app.data_migrations.collaboration import stage, stage_lines

pytestmark = pytest.mark.django_db(transaction=True)

OID = "6812f8800000000000000001"


def keys() -> dict[str, str]:
    return dict(LegacyCollaborationRow.objects.values_list("key", "session_key"))


def test_rows_are_filed_under_their_canonical_session_id() -> None:
    stage(
        {"_id": {"$oid": OID}, "session_id": " 77D3B396-4BB1-4ADA-8BF8-CAD181406705 "},
        {"_id": 7, "session_id": {"$numberInt": "123"}},
        {"_id": "x", "session_id": "undefined"},
        {"_id": "y"},
    )
    assert keys() == {
        OID: "77d3b396-4bb1-4ada-8bf8-cad181406705",
        "7": "123",
        "x": "row:x",
        "y": "row:y",
    }


def test_a_document_without_id_is_told_by_its_content() -> None:
    stage({"name": "N"})
    ((key, session_key),) = keys().items()
    assert key.startswith("sha256:")
    assert session_key == f"row:{key}"


@pytest.mark.parametrize(
    "written",
    [
        {"$date": "2025-05-01T00:00:00Z"},
        {"$date": {"$numberLong": "1746057600000"}},
        {"$date": 1746057600000},
    ],
)
def test_every_form_of_extended_json_is_read(written: Any) -> None:
    stage({"_id": {"$oid": OID}, "session_id": "s", "uploaded_at": written})
    (row,) = LegacyCollaborationRow.objects.all()
    assert row.document["uploaded_at"] == "2025-05-01T00:00:00+00:00"


def test_an_absent_key_and_null_stay_different_and_the_line_is_verbatim() -> None:
    line = '{ "_id":"a", "session_id":"s","access":null , "name":"\\u0633\\u0627"}'
    stage_lines([line, '{"_id":"b","session_id":"s"}'])
    first, second = LegacyCollaborationRow.objects.order_by("key")
    assert first.line.strip() == line
    assert first.document == {"_id": "a", "session_id": "s", "access": None, "name": "سا"}
    assert "access" not in second.document


def test_the_same_file_again_adds_nothing_and_a_changed_row_is_updated() -> None:
    rows = [{"_id": str(number), "session_id": "s", "name": "N"} for number in range(3)]
    done = stage(*rows)
    assert (done.imported, done.updated, done.unchanged) == (3, 0, 0)
    done = stage(*rows)
    assert (done.imported, done.updated, done.unchanged) == (0, 0, 3)
    rows[1]["session_id"] = "t"
    done = stage(*rows)
    assert (done.imported, done.updated, done.unchanged) == (0, 1, 2)
    assert keys() == {"0": "s", "1": "t", "2": "s"}


def test_the_command_takes_an_array_and_rejects_only_what_is_no_document(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "rows.json").write_text(
        json.dumps([{"_id": "a", "session_id": "s"}, 5, {"_id": "b", "session_id": []}])
    )
    with pytest.raises(SystemExit) as stopped:
        call_command("import_legacy", "collaboration", str(tmp_path / "rows.json"), "--json")
    assert stopped.value.code == 2
    answer = json.loads(capsys.readouterr().out)
    assert (answer["kind"], answer["read"], answer["imported"]) == ("collaboration", 3, 2)
    assert [found["code"] for found in answer["rejected"]] == ["not_an_object"]
    assert keys() == {"a": "s", "b": "row:b"}
