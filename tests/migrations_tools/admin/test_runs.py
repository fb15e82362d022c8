"""The pages of runs: what they show, and which buttons do what for whom."""

from __future__ import annotations

import gzip
import io
import zipfile
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from migrations_tools.admin.deeds import DEEDS, deeds_of
from migrations_tools.models import Governor, Run, Transition
from migrations_tools.services import runs
from migrations_tools.services.verification import verify_waiting
from migrations_tools.states import RunKind, RunState, Surface, VerificationState
from tests.migrations_tools.admin.conftest import Enter, confirm, do_work, staff, words
from tests.migrations_tools.engine.test_running import actor, stage
from tests.shop.models import Order

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/admin/migrations_tools/run/"


def page(run: Run, name: str = "change", *more: str) -> str:
    return reverse(f"admin:migrations_tools_run_{name}", args=[run.pk, *more])


def deed(run: Run, name: str) -> str:
    return page(run, "do", name)


def queued(**values: Any) -> Run:
    stage(3, **values)
    run = runs.start_run("carry_orders", **actor())
    assert run is not None
    return run


def completed(**values: Any) -> Run:
    return runs.work_run(queued(**values))


def state(run: Run) -> str:
    return str(Run.objects.get(pk=run.pk).state)


# --------------------------------------------------------------------------------- what is shown


def test_every_page_of_a_run_is_shown_to_those_who_may_see_it(enter: Enter) -> None:
    stage(1, kind="unsure")
    stage(1, day=None)
    run = completed(total="a lot", line="a line")
    runs_page = enter()
    for name, expected in {
        "change": ["Carry orders", "completed", "shop.order", "bad_total"],
        "live": ["data-live-done", "5 of 5"],
        "problems": ["no_day", "bad_total", "no number"],
        "changes": ["shop.order", "order_id"],
        "verification": ["Not verified yet"],
        "transitions": ["queue", "start", "command line"],
        "problems_csv": ["no_day", "quarantined"],
    }.items():
        answer = runs_page.get(page(run, name))
        text = answer.getvalue().decode()
        assert answer.status_code == 200, name
        assert [word for word in expected if word not in text] == [], name
    nobody = Client()
    nobody.force_login(staff("nobody"))
    for name in (
        "change",
        "live",
        "problems",
        "changes",
        "verification",
        "transitions",
        "evidence",
    ):
        assert nobody.get(page(run, name)).status_code == 403, name
        assert Client().get(page(run, name)).status_code == 302, name


def test_a_page_asks_for_the_right_to_what_it_shows() -> None:
    run = completed()
    client = Client()
    client.force_login(staff("half", "view_run"))
    assert client.get(page(run)).status_code == 200
    for name in ("problems", "changes", "verification", "transitions", "evidence", "backup"):
        assert client.get(page(run, name)).status_code == 403, name


def test_unknown_runs_and_deeds_are_not_found(enter: Enter) -> None:
    client = enter("run")
    run = completed()
    for address in (
        f"{LIST}00000000-0000-4000-8000-000000000000/change/",
        f"{LIST}nonsense/change/",
        f"{LIST}00000000-0000-4000-8000-000000000000/live/",
        deed(run, "explode"),
    ):
        assert client.get(address).status_code == 404, address


def test_lists_and_pages_ask_as_often_for_many_rows_as_for_few(enter: Enter) -> None:
    client = enter()
    first = completed()
    counts: list[dict[str, int]] = []
    for more in (2, 12):
        for _ in range(more):
            Run.objects.create(
                definition="carry_orders", version=1, kind=RunKind.PLAN, actor=first.actor
            )
        stage(more, kind="broken")
        run = completed()
        asked = {}
        for name in ("change", "live", "problems", "changes", "transitions"):
            with CaptureQueriesContext(
                connection,
            ) as queries:
                assert client.get(page(run, name)).status_code == 200
            asked[name] = len(queries)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(LIST).status_code == 200
        asked["list"] = len(queries)
        counts.append(asked)
    assert counts[0] == counts[1]
    assert counts[0]["live"] <= 22


def test_filters_that_nobody_clicked_together_do_no_harm(enter: Enter) -> None:
    client = enter()
    completed()
    for query in (
        "?q=%00",
        "?definition=%00",
        "?state__exact=x",
        "?definition=" + "x" * 2_000,
        "?id__exact=nonsense",
        "?q=" + "y" * 3_000,
        "?p=99999999",
        "?run__evil=1",
    ):
        answer = client.get(LIST + query, follow=True)
        assert answer.status_code == 200, query


# ------------------------------------------------------------------------------ buttons and rights


def test_every_state_has_its_buttons() -> None:
    """A table of what an all-powerful person is offered, by kind and state of a run that began."""
    everybody = staff("all", *{deed.permission for deed in DEEDS})
    run = completed()
    offered = {}
    for kind in (RunKind.APPLY, RunKind.ROLLBACK, RunKind.PLAN):
        for name in RunState.values:
            run.kind, run.state = kind, name
            offered[kind, name] = [found.name for found in deeds_of(run, everybody)]
    apply, plan, rollback = RunKind.APPLY, RunKind.PLAN, RunKind.ROLLBACK
    assert {name: offered[apply, name] for name in RunState.values} == {
        "planned": ["cancel"],
        "awaiting_approval": ["approve", "verify", "cancel"],
        "queued": ["pause", "rollback", "cancel"],
        "running": ["pause", "rollback", "cancel"],
        "throttled": ["pause", "rollback", "cancel"],
        "pausing": ["rollback", "cancel"],
        "paused": ["resume", "rollback", "cancel"],
        "cancelling": ["rollback"],
        "cancelled": ["verify", "try-rollback", "rollback", "purge"],
        "needs_attention": ["resume", "rollback", "cancel"],
        "completed": ["verify", "try-rollback", "rollback", "purge"],
        "rolled_back": ["verify", "purge"],
        "partially_rolled_back": ["verify", "force", "purge"],
    }
    assert offered[plan, "completed"] == ["start", "purge"]
    assert offered[plan, "running"] == ["cancel"]
    assert offered[rollback, "completed"] == ["verify", "purge"]
    assert offered[rollback, "paused"] == ["resume", "cancel"]


def test_a_button_is_for_those_who_have_its_right(enter: Enter) -> None:
    """Without it: not shown, no confirmation, and an attempt that is refused on record."""
    run = completed()
    client = enter(name="viewer")
    assert deeds_of(run, staff("another")) == []
    shown = client.get(page(run)).content.decode()
    before = Transition.objects.count()
    for found in DEEDS:
        address = deed(run, found.name)
        assert address not in shown
        assert client.get(address).status_code == 403, found.name
        answer = confirm(client, address, reason="tampered", sure="on")
        assert answer.status_code == 403, found.name
    told = Transition.objects.filter(action="refused", actor__username="viewer", run=run)
    assert [row.details["permission"] for row in told.order_by("id")] == [
        found.permission for found in DEEDS for _ in range(2)
    ]
    assert Transition.objects.count() == before + 2 * len(DEEDS)
    assert state(run) == RunState.COMPLETED


def test_pause_resume_and_cancel(enter: Enter) -> None:
    client = enter("run")
    run = queued()
    shown = client.get(deed(run, "pause"))
    assert "0 of 3 keys are done" in shown.content.decode()
    answer = confirm(client, deed(run, "pause"), reason="lunch")
    assert (state(run), words(answer)) == (RunState.PAUSED, ["It pauses within one batch."])
    again = confirm(client, deed(run, "pause"), reason="lunch")
    assert "The run is paused by now." in words(again)[0]
    told = Transition.objects.filter(run=run, action="pause").get()
    assert (told.actor.username, told.surface, told.reason) == ("olga", Surface.ADMIN, "lunch")
    confirm(client, deed(run, "resume"))
    assert state(run) == RunState.RUNNING
    runs.pause_run(run, **actor())
    confirm(client, deed(run, "cancel"), reason="enough")
    assert state(run) == RunState.CANCELLED
    assert not Order.objects.exists()


def test_nothing_happens_without_the_confirmation(enter: Enter) -> None:
    client = enter("run", "rollback")
    run = completed()
    assert client.post(deed(run, "rollback"), {"reason": "no button"}).status_code == 200
    assert confirm(client, deed(run, "rollback"), reason="  ").status_code == 422
    assert not Run.objects.filter(kind=RunKind.ROLLBACK).exists()


def test_a_plan_is_started_once(enter: Enter) -> None:
    client = enter("run")
    stage(3)
    plan = runs.plan_run("carry_orders", **actor())
    assert plan is not None
    shown = client.get(deed(plan, "start")).content.decode()
    assert "3 keys will be looked at. By the plan 3 are carried over" in shown
    answer = confirm(client, deed(plan, "start"), reason="go", workers="2")
    run = Run.objects.get(kind=RunKind.APPLY)
    assert answer.redirect_chain[-1][0] == page(run)
    do_work()
    assert (state(run), run.tuning["workers"]) == (RunState.COMPLETED, 2)
    again = confirm(client, deed(plan, "start"), reason="go")
    assert words(again) == ["There was nothing to do."]
    assert Order.objects.count() == 3


def test_a_rollback_is_tried_then_done_then_forced(enter: Enter) -> None:
    client = enter("run", "rollback")
    run = completed()
    shown = client.get(deed(run, "rollback")).content.decode()
    assert "Of 3 keys are taken back: 4 inserted rows" in shown
    confirm(client, deed(run, "try-rollback"))
    do_work()
    assert Order.objects.count() == 3
    Order.objects.filter(number="A0").update(total="99.00")
    confirm(client, deed(run, "rollback"), reason="a mistake")
    second = confirm(client, deed(run, "rollback"), reason="a mistake")
    assert "olga asked to roll run" in words(second)[0]
    do_work()
    assert (state(run), Order.objects.count()) == (RunState.PARTIALLY_ROLLED_BACK, 1)
    assert "1 keys stayed" in client.get(deed(run, "force")).content.decode()
    assert confirm(client, deed(run, "force"), reason="all of it").status_code == 422
    confirm(client, deed(run, "force"), reason="all of it", sure="on")
    do_work()
    assert (state(run), Order.objects.count()) == (RunState.ROLLED_BACK, 0)


def test_conflicts_of_a_rollback_are_decided_one_by_one(enter: Enter) -> None:
    client = enter("run", "rollback")
    run = completed()
    Order.objects.exclude(number="A2").update(total="99.00")
    confirm(client, deed(run, "rollback"), reason="a mistake")
    do_work()
    back = Run.objects.get(kind=RunKind.ROLLBACK)
    first, second = back.ledger.filter(outcome="conflict").values_list("key", flat=True)
    take = f"{deed(run, 'force')}?key={first}"
    assert take in client.get(page(back, "problems")).content.decode()
    assert first in client.get(take).content.decode()
    tampered = confirm(client, deed(run, "force"), reason="x", sure="on", key="999999")
    assert "is not in conflict" in words(tampered)[0]
    confirm(client, deed(run, "force"), reason="this one", sure="on", key=first)
    do_work()
    assert state(run) == RunState.PARTIALLY_ROLLED_BACK
    assert set(Order.objects.values_list("number", flat=True)) == {"A1"}
    newest = Run.objects.filter(kind=RunKind.ROLLBACK).latest("created_at")
    assert list(newest.ledger.filter(step=0).values_list("key", "outcome", "code")) == [
        (first, "restored", ""),
        (second, "conflict", "kept"),
    ]
    confirm(client, deed(run, "force"), reason="that one", sure="on", key=second)
    do_work()
    assert (state(run), Order.objects.count()) == (RunState.ROLLED_BACK, 0)


def test_several_runs_are_rolled_back_from_the_list(enter: Enter) -> None:
    client = enter("run", "rollback")
    first, second = completed(), completed()
    plan = first.plan
    assert plan is not None
    chosen = {
        "action": "roll_back",
        "_selected_action": [str(run.pk) for run in (first, second, plan)],
    }
    shown = client.post(LIST, chosen)
    assert "2 runs are taken back, each as follows; 1 are left out." in shown.content.decode()
    assert not Run.objects.filter(kind=RunKind.ROLLBACK).exists()
    client.post(LIST, {**chosen, "confirm": "yes", "reason": "both"})
    for _ in range(2):
        do_work()
    assert Run.objects.filter(kind=RunKind.ROLLBACK).count() == 2
    without = enter("run", name="without")
    assert "roll_back" not in without.get(LIST).content.decode()
    without.post(LIST, {**chosen, "confirm": "yes", "reason": "tampered"})
    assert Run.objects.filter(kind=RunKind.ROLLBACK).count() == 2


def test_verification_is_left_to_workers_and_shown(enter: Enter) -> None:
    client = enter("run")
    run = completed()
    confirm(client, deed(run, "verify"))
    assert Run.objects.get(pk=run.pk).verification_state == VerificationState.WAITING
    verify_waiting()
    text = client.get(page(run, "verification")).content.decode()
    assert "Every linked legacy order has its order" in text
    assert "order_missing" in text


def test_a_journal_is_purged_by_those_who_may(enter: Enter) -> None:
    client = enter("purge")
    run = completed()
    answer = confirm(client, deed(run, "purge"), reason="too early")
    assert "cannot be purged" in words(answer)[0]
    assert run.changes.exists()


# ------------------------------------------------------------------------------ work lists, files


def test_quarantined_keys_are_retried_one_by_one_by_code_and_all(enter: Enter) -> None:
    client = enter("run", "waive")
    rows = [*stage(2, day=None), *stage(1, kind="broken")]
    run = completed()
    first = str(rows[0].pk)
    text = client.get(page(run, "problems"), {"outcome": "quarantined", "code": "no_day"})
    assert text.content.decode().count("has no day") == 3  # two keys and an example of the code
    rows[0].day = stage(1)[0].day
    rows[0].save()
    confirm(client, deed(run, "retry"), key=first)
    do_work()
    assert Order.objects.filter(number=rows[0].number).exists()
    confirm(client, deed(run, "retry"), code="no_day")
    do_work()
    again = Transition.objects.filter(run=run, action="retry").order_by("id")
    assert [told.reason for told in again] == ["1 quarantined keys"] * 2
    tampered = confirm(client, deed(run, "retry"), key="999999")
    assert "is not quarantined" in words(tampered)[0]
    waived = confirm(client, page(run, "waive"), key=str(rows[1].pk), reason="a test")
    assert words(waived) == [f"Key {rows[1].pk} is waived."]
    twice = confirm(client, page(run, "waive"), key=str(rows[1].pk), reason="a test")
    assert "waived already" in words(twice)[0]
    assert confirm(enter(name="none"), page(run, "waive"), key="1", reason="x").status_code == 403


def test_evidence_and_backup_are_files_for_those_who_may(enter: Enter) -> None:
    run = completed()
    client = enter("purge")
    answer = client.get(page(run, "evidence"))
    names = zipfile.ZipFile(io.BytesIO(answer.getvalue())).namelist()
    assert {"evidence.json", "manifest.json"} <= set(names)
    lines = gzip.decompress(client.post(page(run, "backup")).getvalue()).splitlines()
    assert len(lines) > 10
    assert Transition.objects.filter(run=run, action="backup").count() == 1


def test_a_running_run_is_tuned(enter: Enter) -> None:
    run = queued()
    client = enter("run")
    text = client.get(page(run)).content.decode()
    assert "Settings while it runs" in text
    assert "Sessions that wait for locks" in text
    answer = client.post(page(run, "tune"), {"batch_size": "7"}, follow=True)
    assert words(answer) == ["The next batch is worked on so."]
    assert Run.objects.get(pk=run.pk).tuning["batch_size"] == 7
    refused = client.post(page(run, "tune"), {"batch_size": "-7"}, follow=True)
    assert Run.objects.get(pk=run.pk).tuning["batch_size"] == 7
    assert words(refused)
    assert enter(name="none").post(page(run, "tune"), {"batch_size": "9"}).status_code == 403


def test_all_runs_are_stopped_and_let_go(enter: Enter) -> None:
    client = enter("run")
    address = reverse("admin:migrations_tools_run_governor")
    assert confirm(client, address, stop="yes", reason="").status_code == 422
    confirm(client, address, stop="yes", reason="the disk")
    assert Governor.objects.get().stopped
    assert "olga stopped them. the disk" in client.get(LIST).content.decode()
    assert words(confirm(client, address, stop="yes", reason="x")) == ["All runs wait already."]
    confirm(client, address, stop="no")
    assert not Governor.objects.get().stopped
    assert confirm(enter(name="none"), address, stop="yes", reason="x").status_code == 403
