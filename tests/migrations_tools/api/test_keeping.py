"""Backups, erasure, and files of problems."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from migrations_tools.models import LedgerEntry, RowChange, Transition
from migrations_tools.retention.check import BackupReader
from tests.migrations_tools.api.requests import Caller, made, operator, problem
from tests.migrations_tools.engine.test_running import carry, stage
from tests.migrations_tools.people import person
from tests.shop.models import Order

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def home(settings: Any, tmp_path: Path) -> Path:
    settings.CARRYOVER_HOME = tmp_path
    return tmp_path


def test_a_backup_is_written_listed_tested_and_taken_away(home: Path, tmp_path: Path) -> None:
    stage(3)
    run = carry()["run"]
    caller = operator()
    answer = caller.post(f"runs/{run}/backups/", key="k")
    assert answer.status_code == 201, answer.content
    told = answer.json()
    assert caller.post(f"runs/{run}/backups/", key="k").json() == told
    file = home / "backups" / told["file"]
    assert [found.name for found in (home / "backups").iterdir()] == [told["file"]]
    assert stat.S_IMODE((home / "backups").stat().st_mode) == 0o700
    assert (told["size"], told["ledger"], told["actor"]) == (file.stat().st_size, 4, "operator")
    assert caller.get(f"runs/{run}/backups/").json()["results"] == [told]

    path = f"runs/{run}/backups/{told['file']}/"
    assert answer["Location"].endswith(f"/api/v1/{path}")
    taken = caller.get(path)
    assert (taken.status_code, taken["Content-Type"]) == (200, "application/gzip")
    copy = tmp_path / "copy"
    copy.write_bytes(b"".join(taken.streaming_content))
    reader = BackupReader()
    reader.read(copy)
    assert (reader.failures, reader.header["run"]) == (0, run)

    checked = caller.get(f"{path}check/").json()
    assert (checked["ok"], checked["file"], checked["sha256"]) == (
        True, told["file"], told["sha256"],
    )  # fmt: skip
    file.write_bytes(file.read_bytes()[:-20])
    damaged = caller.get(f"{path}check/").json()
    assert (damaged["ok"], damaged["failures"] > 0) == (False, True)
    assert str(home) not in str(damaged)
    file.unlink()
    assert caller.get(f"runs/{run}/backups/").json()["results"] == []
    assert problem(caller.get(path)) == (404, "unknown_backup")


def test_nobody_names_a_path_and_only_those_who_may_purge_see_backups(home: Path) -> None:
    stage(1)
    run = carry()["run"]
    (home / "backups").mkdir()
    (home / "backups" / "secret_key").write_text("hidden")
    caller = operator()
    for name in ("secret_key", "..%2Fsecret_key", "%2Fetc%2Fpasswd", "a%00b", "..", "."):
        answer = caller.get(f"runs/{run}/backups/{name}/")
        assert (answer.status_code, b"hidden" in answer.content) == (404, False)
    runner = Caller(person("runner", "run", "view_run"))
    for answer in (
        runner.get(f"runs/{run}/backups/"),
        runner.post(f"runs/{run}/backups/"),
        runner.get(f"runs/{run}/backups/secret_key/"),
        runner.post(f"runs/{run}/erase/", {"keys": ["1"], "reason": "x"}),
    ):
        assert problem(answer) == (403, "permission_denied")
    refused = Transition.objects.filter(action="refused", actor=runner.user, run=run)
    assert refused.count() == 4
    assert [found.name for found in (home / "backups").iterdir()] == ["secret_key"]


def test_what_is_too_large_to_wait_for_is_left_to_the_command(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage(2)
    run = carry()["run"]
    monkeypatch.setattr("migrations_tools.services.retention.MOST_IN_A_REQUEST", 1)
    caller = operator()
    for answer in (
        caller.post(f"runs/{run}/backups/"),
        caller.post(f"runs/{run}/purge/", {"reason": "old"}),
    ):
        assert problem(answer) == (409, "too_large")
        assert "datamigrate" in answer.json()["error"]["message"]
    assert not (home / "backups").exists()


def test_personal_values_are_erased_by_key() -> None:
    rows = stage(2)
    run = carry()["run"]
    caller = operator()
    key = str(rows[0].pk)
    body: dict[str, Any] = {"keys": [key], "reason": "request 17"}
    erased = caller.post(f"runs/{run}/erase/", body, key="k")
    assert (erased.status_code, erased.json()["run"]) == (200, run)
    assert erased.json()["rows"] > 0
    assert caller.post(f"runs/{run}/erase/", body, key="k").json() == erased.json()
    changes = RowChange.objects.filter(run=run)
    assert not changes.filter(key=key, after__isnull=False).exists()
    assert changes.exclude(key=key).filter(after__isnull=False).exists()
    assert problem(caller.post(f"runs/{run}/erase/", {**body, "keys": ["nobody"]})) == (
        409, "unknown_key",
    )  # fmt: skip
    unusable: list[dict[str, Any]] = [{"keys": []}, {"keys": ["\ud800"]}, {"reason": ""}]
    for wrong in unusable:
        assert problem(caller.post(f"runs/{run}/erase/", {**body, **wrong}))[0] == 422


def test_problems_are_a_file_that_no_spreadsheet_takes_for_formulas() -> None:
    stage(1, day=None, number="=1+1")
    stage(1, total="-5")
    run = carry()["run"]
    auditor = Caller(person("auditor", "view_run", "view_ledgerentry"))
    told = auditor.get(f"runs/{run}/problems/csv/")
    assert told["Content-Type"] == "text/csv; charset=utf-8"
    lines = b"".join(told.streaming_content).decode("utf-8-sig").splitlines()
    listed = auditor.get(f"runs/{run}/problems/").json()["results"]
    assert lines[0] == "key,outcome,code,detail,warnings,waived"
    assert len(lines) == len(listed) + 1 > 1
    code = listed[0]["code"]
    chosen = auditor.get(f"runs/{run}/problems/csv/", outcome="quarantined", code=code)
    assert len(b"".join(chosen.streaming_content).splitlines()) >= 2
    assert problem(auditor.get(f"runs/{run}/problems/csv/", outcome="x"))[0] == 422
    assert Caller(person("guest")).get(f"runs/{run}/problems/csv/").status_code == 404


def test_quarantined_keys_are_driven_again_by_code() -> None:
    stage(1)
    bad = stage(2, day=None)
    run = carry()["run"]
    caller = operator()
    [code] = (
        LedgerEntry.objects.filter(run=run, outcome="quarantined")
        .values_list("code", flat=True)
        .distinct()
    )
    nothing = caller.post(f"runs/{run}/retry/", {"code": "no_such_code"})
    assert (nothing.status_code, nothing.json()["run"]) == (200, None)
    for row in bad:
        type(row).objects.filter(pk=row.pk).update(day="2025-05-01")
    again = caller.post(f"runs/{run}/retry/", {"code": code, "keys": [str(bad[0].pk)]})
    assert again.status_code == 202
    assert LedgerEntry.objects.filter(run=run, key=str(bad[0].pk)).exists()


def test_conflicts_of_a_rollback_are_taken_back_one_by_one() -> None:
    stage(2)
    run = carry()["run"]
    caller = operator()
    for order in Order.objects.all():
        order.number = f"{order.number} by hand"
        order.save()
    made(caller.post(f"runs/{run}/rollback/", {"reason": "a mistake"}))
    assert Order.objects.count() == 2
    key = LedgerEntry.objects.filter(run=run, outcome="applied").order_by("id")[0].key
    body = {"reason": "this one", "force": True, "keys": [key]}
    made(caller.post(f"runs/{run}/rollback/", body))
    assert Order.objects.count() == 1
    assert problem(caller.post(f"runs/{run}/rollback/", {**body, "keys": ["nobody"]}))[0] == 409
