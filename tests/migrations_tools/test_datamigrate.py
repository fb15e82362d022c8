"""The command line: JSON answers, exit codes, refusals (SPEC §3)."""

from __future__ import annotations

import io
import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from migrations_tools.models import Run, Transition
from migrations_tools.services import runs
from tests.migrations_tools.engine.test_running import actor, stage
from tests.shop.models import LegacyOrder, Order

pytestmark = pytest.mark.django_db(transaction=True)

SUMMARY_KEYS = {
    "run", "migration", "kind", "state", "total", "outcomes", "warnings", "codes", "problems",
    "changes", "categories", "risks", "recommendations", "seconds", "rows_per_second",
}  # fmt: skip
OUTCOMES = {
    "applied", "unchanged", "skipped", "review", "conflict", "gone", "quarantined", "restored",
}  # fmt: skip


def datamigrate(*arguments: str) -> tuple[int, dict[str, Any]]:
    """Exit code and the one JSON object on standard output."""
    out = io.StringIO()
    code = 0
    try:
        call_command("datamigrate", *arguments, "--json", stdout=out)
    except SystemExit as ended:
        code = int(ended.code or 0)
    return code, json.loads(out.getvalue())


def test_a_run_answers_the_summary_and_exits_with_0() -> None:
    stage(5)
    code, answer = datamigrate("run", "carry_orders")
    assert code == 0
    assert answer.keys() >= SUMMARY_KEYS
    assert answer["outcomes"].keys() == OUTCOMES
    assert (answer["kind"], answer["state"], answer["total"]) == ("apply", "completed", 5)
    assert uuid.UUID(answer["run"])


def test_problems_exit_with_2_and_name_the_keys() -> None:
    stage(2)
    (bad,) = stage(1, day=None)
    code, answer = datamigrate("run", "carry_orders")
    assert code == 2
    assert answer["problems"] == [
        {
            "key": str(bad.pk),
            "outcome": "quarantined",
            "code": "no_day",
            "detail": "Order A2 has no day.",
        }
    ]


def test_nothing_to_do_makes_no_run_and_exits_with_0() -> None:
    code, answer = datamigrate("run", "carry_orders")
    assert (code, answer["run"], answer["total"]) == (0, None, 0)
    assert set(answer["outcomes"].values()) == {0}
    assert answer.keys() >= SUMMARY_KEYS
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("run", "no_such_migration"), "unknown_migration"),
        (("plan", "no_such_migration"), "unknown_migration"),
        (("status", "00000000-0000-0000-0000-000000000000"), "unknown_run"),
        (("status", "not-a-uuid"), "unknown_run"),
        (("verify", "neither-run-nor-name"), "unknown_run"),
        (("rollback", "last", "--reason", "x"), "unknown_run"),
        (("run", "carry_orders", "--option", "color=red"), "invalid_option"),
        (("run", "carry_orders", "--option", "strict"), "invalid_option"),
        (("run", "carry_orders", "--plan", "last"), "unknown_run"),
        (("pause", "last"), "unknown_run"),
    ],
)
def test_a_refusal_is_a_code_a_sentence_and_exit_1(arguments: tuple[str, ...], code: str) -> None:
    stage(1)
    exit_code, answer = datamigrate(*arguments)
    assert exit_code == 1
    assert answer["error"]["code"] == code
    assert answer["error"]["message"].endswith((".", "none"))
    assert not Order.objects.exists()


def test_usage_errors_name_the_mistake() -> None:
    with pytest.raises(CommandError, match="no whole number above 0"):
        call_command("datamigrate", "run", "carry_orders", "--limit", "-3")
    with pytest.raises(CommandError, match="invalid choice"):
        call_command("datamigrate", "frobnicate")


def test_a_second_run_is_refused_with_the_id_of_the_first() -> None:
    stage(2)
    first = runs.start_run("carry_orders", **actor())
    assert first is not None
    code, answer = datamigrate("run", "carry_orders")
    assert code == 1
    assert answer["error"]["code"] == "run_active"
    assert str(first.pk) in answer["error"]["message"]
    assert answer["error"].keys() == {"code", "message"}


def test_options_are_flags_or_pairs() -> None:
    stage(2, total="0")
    code, answer = datamigrate("run", "carry_orders", "--strict", "--option", "prefix=X-")
    assert code == 2
    assert answer["codes"] == {"zero_total": 2}
    LegacyOrder.objects.update(total="1")
    assert datamigrate("run", "carry_orders", "--prefix", "Y-")[0] == 0
    assert set(Order.objects.values_list("number", flat=True)) == {"Y-A0", "Y-A1"}


def test_a_limit_takes_so_many_keys_and_the_next_run_the_others() -> None:
    stage(7)
    code, answer = datamigrate("run", "carry_orders", "--limit", "3", "--batch-size", "2")
    assert (code, answer["total"]) == (0, 3)
    assert datamigrate("run", "carry_orders")[1]["total"] == 4
    assert Order.objects.count() == 7


def test_a_plan_is_run_by_its_id_and_last_names_only_runs_that_write() -> None:
    stage(3)
    code, planned = datamigrate("plan", "carry_orders")
    assert (code, planned["kind"], planned["outcomes"]["applied"]) == (0, "plan", 3)
    assert planned["plan"]["estimate"]["seconds"][0] > 0
    assert datamigrate("status", "last")[1]["error"]["code"] == "unknown_run"
    code, answer = datamigrate("run", "carry_orders", "--plan", planned["run"].upper())
    assert (code, answer["total"]) == (0, 3)
    assert datamigrate("status", "LAST".lower())[1]["run"] == answer["run"]


def test_a_drifted_plan_is_refused_and_says_what_changed() -> None:
    stage(3)
    _, planned = datamigrate("plan", "carry_orders")
    stage(2)
    code, answer = datamigrate("run", "carry_orders", "--plan", planned["run"])
    assert (code, answer["error"]["code"]) == (1, "plan_drift")
    assert "3 keys then, 5 now" in answer["error"]["message"]
    code, answer = datamigrate(
        "run", "carry_orders", "--plan", planned["run"], "--accept-drift", "two more came"
    )
    assert (code, answer["total"]) == (0, 5)


@pytest.mark.parametrize("answer_given", ["", "n\n", "maybe\n"])
def test_interactive_asks_and_anything_but_yes_writes_nothing(
    answer_given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage(2)
    monkeypatch.setattr("sys.stdin", io.StringIO(answer_given))
    code, answer = datamigrate("run", "carry_orders", "--interactive")
    assert (code, answer["run"]) == (0, None)
    assert not Order.objects.exists()


@pytest.mark.parametrize("extra", [("--yes",), ()])
def test_interactive_goes_on_with_yes(
    extra: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage(2)
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert datamigrate("run", "carry_orders", "--interactive", *extra)[1]["total"] == 2


def test_the_report_is_the_answer_in_a_file(tmp_path: Path) -> None:
    stage(2)
    file = tmp_path / "report.json"
    _, answer = datamigrate("run", "carry_orders", "--report", str(file))
    assert json.loads(file.read_text()) == answer
    stage(1)
    code, answer = datamigrate("run", "carry_orders", "--report", str(tmp_path / "no" / "file"))
    assert (code, answer["error"]["code"]) == (1, "report_not_written")


def test_background_leaves_the_work_to_the_worker() -> None:
    stage(4)
    code, answer = datamigrate("run", "carry_orders", "--background")
    assert (code, answer["state"]) == (0, "queued")
    assert not Order.objects.exists()
    call_command("worker", "--once")
    assert datamigrate("status", answer["run"])[1]["state"] == "completed"
    assert Order.objects.count() == 4


def test_what_keeps_nothing_can_be_left_to_the_worker_too() -> None:
    stage(4)
    code, asked = datamigrate("plan", "carry_orders", "--background", "--limit", "3")
    assert (code, asked["state"]) == (0, "planned")
    tried = datamigrate("run", "carry_orders", "--dry-run", "--background")[1]
    call_command("worker", "--once")
    plan = datamigrate("status", asked["run"])[1]
    assert (plan["kind"], plan["state"], plan["total"]) == ("plan", "completed", 3)
    assert datamigrate("status", tried["run"])[1]["outcomes"]["applied"] == 4
    assert not Order.objects.exists()
    datamigrate("run", "carry_orders")
    back = datamigrate("rollback", "last", "--dry-run", "--background")[1]
    call_command("worker", "--once")
    assert datamigrate("status", back["run"])[1]["outcomes"]["restored"] == 4
    assert Order.objects.count() == 4


def test_pause_resume_and_cancel() -> None:
    stage(6)
    run = runs.start_run("carry_orders", tuning={"batch_size": 2}, **actor())
    assert run is not None
    runs.work_run(run, stopping=lambda: Order.objects.exists())
    assert datamigrate("pause", "last", "--reason", "lunch")[1]["state"] == "paused"
    assert Transition.objects.filter(action="pause", reason="lunch", surface="command").exists()
    assert Order.objects.count() == 2
    code, answer = datamigrate("resume", "last")
    assert (code, answer["state"], answer["total"]) == (0, "completed", 6)
    code, answer = datamigrate("resume", "last")
    assert (code, answer["error"]["code"]) == (1, "transition_refused")
    stage(2)
    datamigrate("run", "carry_orders", "--background")
    assert datamigrate("cancel", "last")[1]["state"] == "cancelled"
    assert datamigrate("run", "carry_orders")[1]["total"] == 2


def test_verify_and_rollback_and_verify() -> None:
    stage(3)
    _, carried = datamigrate("run", "carry_orders")
    code, proof = datamigrate("verify", "last")
    assert (code, proof["ok"], proof["run"]) == (0, True, carried["run"])
    assert {"code", "ok", "examined", "failures", "sample"} <= proof["checks"][0].keys()
    Order.objects.filter(number="A1").update(total=1)
    code, proof = datamigrate("verify", carried["run"])
    assert (code, proof["ok"]) == (3, False)
    (failed,) = [check for check in proof["checks"] if not check["ok"]]
    assert failed["failures"] == 1
    code, answer = datamigrate("rollback", "last")
    assert (code, answer["error"]["code"]) == (1, "reason_missing")
    code, foretold = datamigrate("rollback", "last", "--dry-run")
    assert (code, foretold["outcomes"]["conflict"]) == (2, 1)
    code, answer = datamigrate("rollback", "last", "--reason", "wrong day")
    assert (code, answer["outcomes"]["restored"], answer["outcomes"]["conflict"]) == (2, 2, 1)
    code, answer = datamigrate("rollback", "last", "--reason", "once more")
    assert (code, answer["run"], answer["outcomes"]["restored"]) == (0, None, 0)
    assert datamigrate("rollback", "last", "--reason", "all", "--force")[0] == 0
    assert not Order.objects.exists()


def test_quarantined_keys_are_driven_again_by_name() -> None:
    stage(1)
    bad, worse = stage(2, total="-1")
    assert datamigrate("run", "carry_orders")[0] == 2
    LegacyOrder.objects.filter(pk=bad.pk).update(total="1")
    code, answer = datamigrate("retry", "last", str(bad.pk))
    assert (code, answer["outcomes"]["applied"], answer["outcomes"]["quarantined"]) == (2, 2, 1)
    code, answer = datamigrate("retry", "last", "no-such-key")
    assert (code, answer["error"]["code"]) == (1, "not_quarantined")
    LegacyOrder.objects.filter(pk=worse.pk).update(total="1")
    assert datamigrate("retry", "last")[0] == 0
    assert datamigrate("verify", "last")[0] == 0


def test_commands_act_as_the_person_that_carryover_actor_names(
    settings: Any, django_user_model: Any
) -> None:
    stage(1)
    django_user_model.objects.create_user("rana")
    settings.CARRYOVER_ACTOR = "rana"
    code, answer = datamigrate("run", "carry_orders")
    assert (code, answer["error"]["code"]) == (1, "permission_denied")
    assert Transition.objects.filter(action="refused", actor__username="rana").exists()
    settings.CARRYOVER_ACTOR = "nobody-here"
    assert datamigrate("run", "carry_orders")[1]["error"]["code"] == "permission_denied"


def test_lists_and_health_answer_without_any_run() -> None:
    code, answer = datamigrate("list")
    assert code == 0
    assert {"carry_orders", "gather_notes"} <= {item["migration"] for item in answer["migrations"]}
    assert datamigrate("status") == (0, {"runs": []})
    code, answer = datamigrate("health")
    assert (code, answer["ok"]) == (0, True)
    assert answer["migrations"]["carry_orders"]["active"] == []
