"""Backups prove themselves; purge and erasure leave their record; nothing else removes anything."""

from __future__ import annotations

import gzip
import json
import stat
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from pytest_django import Settings

from migrations_tools.cutover import keys
from migrations_tools.exceptions import CarryoverError, PermissionRefused
from migrations_tools.models import (
    Batch,
    Check,
    Cutover,
    LedgerEntry,
    RetentionRecord,
    ReviewItem,
    RowChange,
    Run,
    Transition,
)
from migrations_tools.retention.format import record_text
from migrations_tools.services import retention, runs
from migrations_tools.services.verification import verify_definition
from migrations_tools.verification.journal import journal_damage
from tests.migrations_tools.verification.shop import (
    actor,
    carry,
    execute,
    failed,
    roll_back,
    stage,
    verified,
)
from tests.shop.models import LegacyOrder

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run() -> Run:
    stage(5, line='a "quoted" \\ line, (with) commas')
    stage(1, total="viele, “sehr” viele")
    stage(1, day=None, number="with space")
    return carry(tuning={"batch_size": 3})


@pytest.fixture
def rolled_back(run: Run) -> Run:
    roll_back(run)
    run.refresh_from_db()
    return run


def purge(run: Run, **arguments: Any) -> dict[str, Any]:
    return retention.purge_run(run, reason="time is over", **{**actor(), **arguments})


# ----------------------------------------------------------------------------------------- backup


def test_a_backup_holds_everything_and_checks_itself(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl.gz"
    written = retention.backup_run(run, path, **actor())
    assert written["ledger"] == LedgerEntry.objects.filter(run=run).count()
    assert written["change"] == RowChange.objects.filter(run=run).count()
    assert written["batch"] == Batch.objects.filter(run=run).count()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    checked = retention.check_backup(path)
    assert checked["faults"] == []
    assert checked["ok"]
    assert checked["run"] == str(run.pk)
    assert checked["sha256"] == written["sha256"]
    assert [path.name for path in tmp_path.iterdir()] == ["run.jsonl.gz"]
    last = Transition.objects.filter(run=run).latest("id")
    assert (last.action, last.details["sha256"]) == ("backup", written["sha256"])


def test_the_backup_of_a_rollback_checks_too(run: Run, tmp_path: Path) -> None:
    rollback = roll_back(run)
    retention.backup_run(rollback, tmp_path / "b", **actor())
    assert retention.check_backup(tmp_path / "b")["faults"] == []


def test_a_plan_has_a_backup_as_well(run: Run, tmp_path: Path) -> None:
    assert run.plan is not None
    retention.backup_run(run.plan, tmp_path / "b", **actor())
    assert retention.check_backup(tmp_path / "b")["faults"] == []


def _without(lines: list[bytes], kind: str) -> list[bytes]:
    place = next(n for n, line in enumerate(lines) if json.loads(line)["kind"] == kind)
    return lines[:place] + lines[place + 1 :]


def _changed(lines: list[bytes], kind: str, old: bytes, new: bytes) -> list[bytes]:
    place = next(
        n for n, line in enumerate(lines) if json.loads(line)["kind"] == kind and old in line
    )
    return [*lines[:place], lines[place].replace(old, new, 1), *lines[place + 1 :]]


DAMAGE: list[tuple[Callable[[list[bytes]], list[bytes]], str]] = [
    (lambda lines: lines[:-1], "The file is cut off after line"),
    (lambda lines: lines[: len(lines) // 2], "The file is cut off after line"),
    (lambda lines: [*lines[:-1], lines[-1][:20]], "the line is cut off"),
    (lambda lines: _without(lines, "change"), "entries are missing, added or changed"),
    (lambda lines: _without(lines, "ledger"), "are left"),
    (lambda lines: _without(lines, "batch"), "Line 2: an entry stands outside of any batch"),
    (lambda lines: _without(lines, "transition"), "lines of kind transition"),
    (lambda lines: _changed(lines, "change", b"shop.order", b"shop.other"), "was changed"),
    (lambda lines: _changed(lines, "ledger", b"applied", b"skipped"), "was changed"),
    (lambda lines: _changed(lines, "transition", b"queued", b"paused"), "The SHA-256"),
    (lambda lines: [*lines, b"{}\n"], "there are lines after the end"),
    (lambda lines: [b"[]\n"], "the line is no object"),
    (lambda lines: [b"{}\n"], "this is no backup"),
    (lambda lines: [lines[0], b"\xff\n"], "Line 3 cannot be read"),
    (lambda lines: [], "The file is cut off after line 0"),
]


def test_damage_to_a_backup_is_told(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "b"
    retention.backup_run(run, path, **actor())
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    for damage, sentence in DAMAGE:
        path.write_bytes(gzip.compress(b"".join(damage(lines))))
        checked = retention.check_backup(path)
        assert not checked["ok"]
        assert any(sentence in fault for fault in checked["faults"]), checked["faults"]
    path.write_bytes(gzip.compress(b"".join(lines)))
    assert retention.check_backup(path)["ok"]


def test_a_truncated_file_is_told(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "b"
    retention.backup_run(run, path, **actor())
    whole = path.read_bytes()
    for cut in (1, 100, 1000):
        path.write_bytes(whole[:-cut])
        assert not retention.check_backup(path)["ok"]
    path.write_bytes(b"no gzip at all")
    assert retention.check_backup(path)["faults"] == [
        "Line 1 cannot be read: the file is not compressed as a backup is."
    ]


def test_a_file_is_never_overwritten_and_a_failure_leaves_none(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "b"
    path.write_text("mine")
    with pytest.raises(CarryoverError) as refusal:
        retention.backup_run(run, path, **actor())
    assert refusal.value.code == "file_exists"
    with pytest.raises(CarryoverError) as refusal:
        retention.backup_run(run, tmp_path / "none" / "b", **actor())
    assert refusal.value.code == "folder_missing"
    with pytest.raises(CarryoverError) as refusal:
        retention.check_backup(tmp_path / "none")
    assert refusal.value.code == "file_missing"
    assert path.read_text() == "mine"


def test_record_text_is_what_the_database_writes() -> None:
    values = ["plain", "", None, 'a "b"', "back\\slash", "(x)", "a,b", "tab\t", "نص عربي", " ",
              "\u00a0", "\u0085", "é", "🙂", "line\nfeed", "\\x00ff"]  # fmt: skip
    with connection.cursor() as cursor:
        marks = ", ".join(["%s::text"] * len(values))
        cursor.execute(f"SELECT ROW({marks})::text", values)
        assert record_text(values) == cursor.fetchone()[0]


# ------------------------------------------------------------------------------------------ purge


def test_a_rolled_back_run_is_purged_after_its_time(rolled_back: Run, settings: Settings) -> None:
    with pytest.raises(CarryoverError) as refusal:
        purge(rolled_back)
    assert refusal.value.code == "still_needed"
    assert "kept until" in refusal.value.message
    settings.CARRYOVER_JOURNAL_RETENTION_DAYS = 0
    assert rolled_back in retention.purgeable_runs()
    answer = purge(rolled_back)
    assert answer["ledger"] == 9
    assert not LedgerEntry.objects.filter(run=rolled_back).exists()
    assert not RowChange.objects.filter(run=rolled_back).exists()
    assert Transition.objects.filter(run=rolled_back, action="purge").count() == 1
    record = RetentionRecord.objects.get(run=rolled_back)
    assert (record.kind, record.rows, record.reason) == (
        "purge",
        answer["ledger"] + answer["change"],
        "time is over",
    )
    assert rolled_back not in retention.purgeable_runs()
    with pytest.raises(CarryoverError) as refusal:
        verified(rolled_back)
    assert refusal.value.code == "journal_purged"
    with pytest.raises(CarryoverError) as refusal:
        purge(rolled_back)
    assert refusal.value.code == "journal_purged"


def test_journals_are_kept_until_some_time_after_the_cutover(
    rolled_back: Run, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "_keys", {})
    keys.register_cutover(
        keys.CutoverKey(name="shop", title="", definition=rolled_back.definition, environment="")
    )
    settings.CARRYOVER_JOURNAL_RETENTION_DAYS = 0
    under_way = Cutover.objects.create(key="shop", stage="live", since=timezone.now())
    with pytest.raises(CarryoverError, match="the cutover shop is at live"):
        purge(rolled_back)
    assert rolled_back not in retention.purgeable_runs()
    under_way.stage, under_way.since = "complete", timezone.now() + timedelta(hours=1)
    under_way.save()
    with pytest.raises(CarryoverError, match="kept until"):
        purge(rolled_back)
    Cutover.objects.update(since=timezone.now() - timedelta(hours=1))
    assert rolled_back in retention.purgeable_runs()


def test_a_run_that_was_backed_up_may_go_earlier(rolled_back: Run, tmp_path: Path) -> None:
    retention.backup_run(rolled_back, tmp_path / "b", **actor())
    assert purge(rolled_back)["ledger"] == 9


def test_a_standing_run_stays_while_its_ledger_decides(run: Run, settings: Settings) -> None:
    settings.CARRYOVER_JOURNAL_RETENTION_DAYS = 0
    with pytest.raises(CarryoverError) as refusal:
        purge(run)
    assert "carry them over again" in refusal.value.message
    LegacyOrder.objects.all().delete()
    purge(run)
    answer = verify_definition("carry_orders", **actor())
    assert "journal_damaged" not in {check["code"] for check in answer["checks"]}


def test_the_rollback_of_a_partly_rolled_back_run_stays(run: Run, settings: Settings) -> None:
    settings.CARRYOVER_JOURNAL_RETENTION_DAYS = 0
    order = LegacyOrder.objects.exclude(order=None).first()
    assert order is not None
    assert order.order is not None
    order.order.note = "edited"
    order.order.save()
    rollback = roll_back(run)
    run.refresh_from_db()
    assert run.state == "partially_rolled_back"
    with pytest.raises(CarryoverError) as refusal:
        purge(rollback)
    assert "only partly" in refusal.value.message


def test_nothing_is_purged_while_a_run_is_active(rolled_back: Run, settings: Settings) -> None:
    settings.CARRYOVER_JOURNAL_RETENTION_DAYS = 0
    active = runs.start_run("carry_orders", **actor())
    assert active is not None
    for subject in (active, rolled_back):
        with pytest.raises(CarryoverError) as refusal:
            purge(subject)
        assert refusal.value.code == "still_needed"


def test_purging_takes_the_permission_and_a_reason(rolled_back: Run, settings: Settings) -> None:
    settings.CARRYOVER_JOURNAL_RETENTION_DAYS = 0
    user = User.objects.create(username="clerk")
    with pytest.raises(PermissionRefused):
        purge(rolled_back, acting_user=user)
    with pytest.raises(CarryoverError) as refusal:
        retention.purge_run(rolled_back, reason=" ", **actor())
    assert refusal.value.code == "reason_missing"
    assert LedgerEntry.objects.filter(run=rolled_back).exists()


# ---------------------------------------------------------------------------------------- erasure


def test_erased_values_are_gone_and_the_journal_still_proves_itself(
    run: Run, tmp_path: Path
) -> None:
    key = LedgerEntry.objects.get(run=run, detail__isnull=False).key
    noted = LedgerEntry.objects.get(run=run, warnings__isnull=False).key
    answer = retention.erase_personal(run, [key, noted], reason="asked for", **actor())
    assert answer["rows"] > 0
    for entry in LedgerEntry.objects.filter(run__in=[run, run.plan], key__in=[key, noted]):
        assert (entry.detail, entry.warnings) == (None, None)
    for change in RowChange.objects.filter(run=run, key__in=[key, noted]):
        assert (change.before, change.after) == (None, None)
    assert RowChange.objects.filter(run=run, after__isnull=False).exists()
    assert journal_damage(run) == []
    checked = verified(run)
    assert checked["ok"], failed(checked)
    path = tmp_path / "b"
    retention.backup_run(run, path, **actor())
    assert retention.check_backup(path)["faults"] == []
    assert retention.erase_personal(run, [key], reason="again", **actor())["rows"] == 0


def test_a_change_beside_an_erasure_is_still_found(run: Run) -> None:
    key = LedgerEntry.objects.get(run=run, detail__isnull=False).key
    retention.erase_personal(run, [key], reason="asked for", **actor())
    with transaction.atomic():
        execute("ALTER TABLE migrations_tools_rowchange DISABLE TRIGGER USER")
        execute("UPDATE migrations_tools_rowchange SET after = '{}' WHERE operation = 'update'")
        for name in ("append_only", "not_truncated"):
            execute(
                "ALTER TABLE migrations_tools_rowchange ENABLE ALWAYS TRIGGER "
                f"migrations_tools_journal_{name}"
            )
    assert journal_damage(run)


def test_reviews_and_samples_forget_erased_keys() -> None:
    stage(1, kind="unsure")
    run = carry()
    key = ReviewItem.objects.get().key
    Check.objects.create(
        verification="00000000-0000-4000-8000-000000000000", definition="carry_orders", code="x",
        title="x", ok=False, examined=1, failures=2,
        sample=[{"key": key, "detail": "Jane"}, {"key": "other", "detail": "kept"}],
    )  # fmt: skip
    Run.objects.filter(pk=run.pk).update(
        report={"samples": [{"key": key, "changes": ["Jane"]}, {"key": "other", "changes": []}]}
    )
    retention.erase_personal(run, [key], reason="asked for", **actor())
    run.refresh_from_db()
    assert run.report["samples"] == [{"key": "other", "changes": []}]
    item = ReviewItem.objects.get()
    assert (item.proposal, item.evidence) == ({}, {})
    assert Check.objects.get().sample == [{"key": "other", "detail": "kept"}]


def test_an_unknown_key_cannot_be_erased(run: Run) -> None:
    with pytest.raises(CarryoverError) as refusal:
        retention.erase_personal(run, ["nobody"], reason="asked for", **actor())
    assert refusal.value.code == "unknown_key"


# --------------------------------------------------------------------------------------- triggers


def attempt(sql: str, run: Run | None = None, kind: str = "") -> None:
    """Execute ``sql`` in a transaction, behind a retention record if a run is given."""
    with transaction.atomic():
        if run is not None:
            system = actor()["acting_user"]
            RetentionRecord.objects.create(run=run, kind=kind, reason="x", actor=system)
        execute(sql)


NEVER = [
    "DELETE FROM {table}",
    "TRUNCATE {table}",
    "TRUNCATE migrations_tools_batch CASCADE",
    "UPDATE {table} SET key = 'x'",
    "UPDATE {table} SET {first} = NULL, {second} = NULL",
    "UPDATE {table} SET digest = '\\x00'",
    "UPDATE {table} SET run_id = gen_random_uuid()",
    "SET LOCAL session_replication_role = replica; DELETE FROM {table}",
    "SET LOCAL session_replication_role = replica; UPDATE {table} SET key = 'x'",
    "SET LOCAL session_replication_role = replica; TRUNCATE {table}",
]
BEHIND_ANOTHER_RECORD = {
    "purge": [
        "UPDATE {table} SET {first} = NULL, {second} = NULL",
        "UPDATE {table} SET key = 'x'",
        "TRUNCATE {table}",
    ],
    "erase": [
        "DELETE FROM {table}",
        "TRUNCATE {table}",
        "UPDATE {table} SET {first} = NULL, {second} = NULL, key = 'x'",
        "UPDATE {table} SET {first} = NULL, {second} = NULL, digest = '\\x00'",
        "UPDATE {table} SET {first} = NULL, {second} = NULL, {told} = 'x'",
        "UPDATE {table} SET {second} = '{{}}'",
    ],
}


@pytest.mark.parametrize(
    "names",
    [
        {"table": "migrations_tools_ledgerentry", "told": "outcome"}
        | {"first": "detail", "second": "warnings"},
        {"table": "migrations_tools_rowchange", "told": "operation"}
        | {"first": "before", "second": "after"},
    ],
    ids=["ledger", "journal"],
)
def test_nothing_but_a_fitting_record_opens_ledger_and_journal(
    run: Run, names: dict[str, str]
) -> None:
    for statement in NEVER:
        with pytest.raises(IntegrityError):
            attempt(statement.format(**names))
    for kind, statements in BEHIND_ANOTHER_RECORD.items():
        for statement in statements:
            with pytest.raises(IntegrityError):
                attempt(statement.format(**names), run, kind)
    assert journal_damage(run) == []


def test_a_record_opens_only_its_own_transaction_and_run(run: Run) -> None:
    assert run.plan is not None
    attempt("SELECT 1", run, "purge")
    for table in ("migrations_tools_ledgerentry", "migrations_tools_rowchange"):
        delete = f"DELETE FROM {table} WHERE run_id = '{run.pk}'"
        with pytest.raises(IntegrityError):
            attempt(delete)
        with pytest.raises(IntegrityError):
            attempt(delete, run.plan, "purge")
    assert journal_damage(run) == []


def test_transitions_are_open_to_nobody(run: Run) -> None:
    table = "migrations_tools_transition"
    for sql in (
        f"DELETE FROM {table}",
        f"UPDATE {table} SET reason = 'x'",
        f"TRUNCATE {table} CASCADE",
    ):
        with pytest.raises(IntegrityError):
            attempt(sql, run, "purge")
        with pytest.raises(IntegrityError):
            attempt(f"SET LOCAL session_replication_role = replica; {sql}")
    assert Transition.objects.filter(run=run).exists()
