"""The evidence bundle: what is in it, and that every change of it is found."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from migrations_tools.evidence import check_bundle, evidence_of, write_bundle
from migrations_tools.evidence.bundle import MOST_IN_PDF, report_html
from migrations_tools.exceptions import CarryoverError
from migrations_tools.models import LedgerEntry, RowChange, Run, Transition
from tests.migrations_tools.test_datamigrate import datamigrate
from tests.migrations_tools.verification.shop import carry, roll_back, stage, verified

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run() -> Run:
    stage(3, line="a secret of Jane Doe")
    stage(1, day=None)
    found = carry()
    verified(found)
    return found


@pytest.fixture
def bundle(run: Run, tmp_path: Path) -> Path:
    path = tmp_path / "evidence.zip"
    write_bundle(evidence_of(run), path)
    return path


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def rewrite(path: Path, files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as file:
        for name, content in files.items():
            file.writestr(name, content)


def test_it_tells_what_became_of_a_run_and_quotes_no_row(run: Run, tmp_path: Path) -> None:
    rollback = roll_back(run)
    path = tmp_path / "evidence.zip"
    code, answer = datamigrate("report", str(run.pk), "--out", str(path))
    assert (code, answer["run"]) == (0, str(run.pk))
    files = contents(path)
    evidence = json.loads(files["evidence.json"])
    assert evidence["run"]["outcomes"]["applied"] == 3
    assert evidence["run"]["outcomes"]["quarantined"] == 1
    assert evidence["verification"]["ok"] is True
    assert {check["code"] for check in evidence["verification"]["checks"]} > {"row_missing"}
    assert [found["outcomes"]["restored"] for found in evidence["rollbacks"]] == [3]
    actions = [(found["run"], found["action"]) for found in evidence["transitions"]]
    assert (str(run.pk), "verify") in actions
    assert {str(run.pk), str(rollback.pk)} <= {number for number, _ in actions}
    assert evidence["head"] == evidence["transitions"][-1]["hash"] == answer["head"]
    assert str(run.pk).encode() in files["report.html"]
    assert not any(b"Jane" in content for content in files.values())
    assert path.stat().st_mode & 0o077 == 0
    assert datamigrate("report", "--check", str(path)) == (
        0,
        {"file": str(path), "ok": True, "run": str(run.pk), "faults": []},
    )


def test_a_file_that_is_there_is_not_overwritten(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "mine"
    path.write_text("mine")
    code, answer = datamigrate("report", "last", "--out", str(path))
    assert (code, answer["error"]["code"]) == (1, "bundle_refused")
    assert path.read_text() == "mine"
    assert datamigrate("report", "--out", str(tmp_path / "new"))[0] == 1


def test_it_reads_sums_and_never_the_rows_of_a_run(run: Run) -> None:
    with CaptureQueriesContext(connection) as queries:
        evidence_of(run)
    asked = " ".join(query["sql"] for query in queries)
    for model in (LedgerEntry, RowChange):
        assert model._meta.db_table not in asked
    assert len(queries) < 15


def test_the_pdf_of_a_long_history_has_its_end_and_says_where_the_rest_is(run: Run) -> None:
    tuned = [
        Transition(run=run, actor=run.actor, surface="api", action="tune", reason=f"no. {number}.")
        for number in range(150)
    ]
    Transition.objects.bulk_create(tuned)
    evidence = evidence_of(run)
    everything = report_html(evidence)
    assert ("no. 0." in everything, "no. 149." in everything) == (True, True)
    assert "These are the newest" not in everything
    short = report_html(evidence, most=MOST_IN_PDF)
    assert ("no. 49." in short, "no. 50." in short, "no. 149." in short) == (False, True, True)
    assert f"{len(evidence['transitions']) - MOST_IN_PDF} before them are in" in short


def _changed(files: dict[str, bytes]) -> None:
    files["evidence.json"] = files["evidence.json"].replace(b'"applied": 3', b'"applied": 4')


def _changed_with_its_digest(files: dict[str, bytes]) -> None:
    _changed(files)
    manifest: dict[str, Any] = json.loads(files["manifest.json"])
    manifest["files"]["evidence.json"] = hashlib.sha256(files["evidence.json"]).hexdigest()
    files["manifest.json"] = json.dumps(manifest).encode()


def _without_a_transition(files: dict[str, bytes]) -> None:
    evidence = json.loads(files["evidence.json"])
    del evidence["transitions"][1]
    files["evidence.json"] = json.dumps(evidence).encode()
    manifest: dict[str, Any] = json.loads(files["manifest.json"])
    manifest["files"]["evidence.json"] = hashlib.sha256(files["evidence.json"]).hexdigest()
    files["manifest.json"] = json.dumps(manifest).encode()


def _with_another_file(files: dict[str, bytes]) -> None:
    files["more.txt"] = b"more"


def _without_manifest(files: dict[str, bytes]) -> None:
    del files["manifest.json"]


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (_changed, "evidence.json was changed"),
        (_changed_with_its_digest, "signature"),
        (_without_a_transition, "chain"),
        (_with_another_file, "more.txt"),
        (_without_manifest, "no whole evidence bundle"),
    ],
)
def test_every_change_is_found(
    bundle: Path, spoil: Callable[[dict[str, bytes]], None], fault: str
) -> None:
    files = contents(bundle)
    spoil(files)
    rewrite(bundle, files)
    code, answer = datamigrate("report", "--check", str(bundle))
    assert (code, answer["ok"]) == (3, False)
    assert any(fault in told for told in answer["faults"]), answer["faults"]


def test_another_installations_bundle_is_not_vouched_for(bundle: Path, settings: Settings) -> None:
    settings.SECRET_KEY = "another installation's key, of another fifty letters"
    assert check_bundle(bundle)["faults"] == ["The signature is not this installation's."]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no more", b"{}" * 100])
def test_a_file_that_is_no_bundle_is_told_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert "no whole evidence bundle" in check_bundle(path)["faults"][0]
    with pytest.raises(CarryoverError, match="cannot be read"):
        check_bundle(tmp_path / "missing")
