"""Cutting over: stages, dual writes, shadow reads, budgets, preconditions, waivers."""

from __future__ import annotations

import json
import threading
import time
from datetime import timedelta
from functools import partial
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, connections, transaction
from django.utils import timezone

from migrations_tools.cutover import believed, comparing, keys
from migrations_tools.cutover.keys import CutoverKey, UnknownCutover, get_cutover, register_cutover
from migrations_tools.cutover.moving import LEAST_COMPARISONS
from migrations_tools.cutover.stages import STAGE_SENTENCES, STAGE_TRANSITIONS, Stage
from migrations_tools.cutover.switch import Switch
from migrations_tools.definitions.registry import get_definition
from migrations_tools.exceptions import CarryoverError, PermissionRefused
from migrations_tools.models import Cutover, Mismatch, Run, Transition, Waiver
from migrations_tools.selectors.completion import waiting_keys
from migrations_tools.services import cutover as service
from migrations_tools.services import runs
from migrations_tools.services.cutover import CutoverRefused, change_stage
from migrations_tools.services.verification import verify_run
from tests.migrations_tools.engine.test_running import actor, stage
from tests.migrations_tools.people import person
from tests.shop.models import Customer, LegacyNote, LegacyOrder

pytestmark = pytest.mark.django_db(transaction=True)

#: What the old side lacks, as the domain would find out.
only_new: list[str] = []


@pytest.fixture(autouse=True)
def shop(monkeypatch: pytest.MonkeyPatch) -> Switch:
    """The shop's customers: notes in the old system, customers in the new one."""
    monkeypatch.setattr(keys, "_keys", {})
    only_new.clear()
    return Switch(
        register_cutover(
            CutoverKey(
                name="shop",
                title="Customers of the shop",
                definition="carry_orders",
                environment="USE_NEW_SHOP",
                only_in_new=lambda: list(only_new),
            )
        )
    )


def add(shop: Switch, name: str) -> str:
    def legacy(other: str | None) -> str:
        LegacyNote.objects.create(customer=name, text="made")
        return f"legacy {name}"

    def new(other: str | None) -> str:
        Customer.objects.create(email=f"{name}@example.com")
        return f"new {name}"

    return shop.write(legacy=legacy, new=new)


def listed(shop: Switch, subject: str = "") -> list[str]:
    return shop.read(
        "list",
        legacy=lambda: sorted(LegacyNote.objects.values_list("customer", flat=True)),
        new=lambda: sorted(
            email.partition("@")[0] for email in Customer.objects.values_list("email", flat=True)
        ),
        subject=subject,
    )


def at(stage_: str, **values: Any) -> None:
    """The stage as if it had been reached."""
    Cutover.objects.update_or_create(key="shop", defaults={"stage": stage_, **values})
    believed.forget("shop")


def move(to: str, **arguments: Any) -> Cutover:
    return change_stage("shop", to, reason="a test", **{**actor(), **arguments})


def carried_over() -> Run:
    stage(3)
    run = runs.start_run("carry_orders", **actor())
    assert run is not None
    run = runs.work_run(run)
    verify_run(run, **actor())
    run.refresh_from_db()
    return run


# ------------------------------------------------------------------------------ reads and writes


@pytest.mark.parametrize(
    ("stage_", "answer", "old", "new"),
    [
        (Stage.OFF, "legacy ann", 1, 0),
        (Stage.DUAL_WRITE, "legacy ann", 1, 1),
        (Stage.SHADOW, "legacy ann", 1, 1),
        (Stage.LIVE, "new ann", 1, 1),
        (Stage.RAMP_DOWN, "new ann", 1, 1),
        (Stage.COMPLETE, "new ann", 0, 1),
    ],
)
def test_a_write_goes_to_the_sides_of_the_stage(
    shop: Switch, stage_: str, answer: str, old: int, new: int
) -> None:
    at(stage_)
    assert add(shop, "ann") == answer
    assert (LegacyNote.objects.count(), Customer.objects.count()) == (old, new)


@pytest.mark.parametrize("stage_", [Stage.DUAL_WRITE, Stage.LIVE])
def test_an_error_of_either_side_undoes_both(shop: Switch, stage_: str) -> None:
    at(stage_)
    Customer.objects.create(email="ann@example.com")
    with pytest.raises(IntegrityError):
        add(shop, "ann")
    assert not LegacyNote.objects.exists()


def test_the_second_side_gets_what_the_first_one_answered(shop: Switch) -> None:
    at(Stage.LIVE)
    told: list[Any] = []
    shop.write(legacy=lambda other: told.append(other), new=lambda other: "number 7")
    assert told == ["number 7"]


@pytest.mark.parametrize("stage_", Stage.values)
def test_lists_are_alike_in_every_stage(shop: Switch, stage_: str) -> None:
    at(Stage.DUAL_WRITE)
    for name in ("ann", "bob"):
        add(shop, name)
    at(stage_)
    assert listed(shop) == ["ann", "bob"]


def test_a_share_of_the_readers_gets_the_new_side_always_the_same_ones(shop: Switch) -> None:
    Customer.objects.create(email="new@example.com")
    at(Stage.LIVE, read_percentage=30)
    first = [bool(listed(shop, f"person {n}")) for n in range(400)]
    assert 0.2 < sum(first) / len(first) < 0.4
    assert [bool(listed(shop, f"person {n}")) for n in range(400)] == first


def test_the_environment_forces_reads_of_the_old_side(
    shop: Switch, monkeypatch: pytest.MonkeyPatch
) -> None:
    Customer.objects.create(email="new@example.com")
    at(Stage.LIVE)
    assert listed(shop) == ["new"]
    monkeypatch.setenv("USE_NEW_SHOP", "False")
    assert listed(shop) == []
    status = command("cutover", "shop")[1]
    assert (status["forced_to_legacy"], status["reads"]) == (True, "legacy")


def test_a_stage_does_not_change_while_a_write_is_under_way(shop: Switch) -> None:
    at(Stage.OFF)
    writing, go_on = threading.Event(), threading.Event()

    def legacy(other: None) -> None:
        LegacyNote.objects.create(customer="ann", text="slow")
        writing.set()
        go_on.wait(20)

    def write() -> None:
        shop.write(legacy=legacy, new=lambda other: None)
        connections.close_all()

    def change() -> None:
        move(Stage.DUAL_WRITE)
        connections.close_all()

    writer, changer = threading.Thread(target=write), threading.Thread(target=change)
    writer.start()
    assert writing.wait(20)
    changer.start()
    time.sleep(0.5)
    assert Cutover.objects.get().stage == Stage.OFF
    go_on.set()
    writer.join()
    changer.join()
    assert Cutover.objects.get().stage == Stage.DUAL_WRITE
    add(shop, "bob")
    assert [customer.email for customer in Customer.objects.all()] == ["bob@example.com"]


def test_reads_are_believed_for_five_seconds_at_most(
    shop: Switch, monkeypatch: pytest.MonkeyPatch
) -> None:
    Customer.objects.create(email="new@example.com")
    assert listed(shop) == []
    Cutover.objects.update_or_create(key="shop", defaults={"stage": Stage.RAMP_DOWN})
    assert listed(shop) == []
    later = time.monotonic() + believed.BELIEVED_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert listed(shop) == ["new"]


# ------------------------------------------------------------------------------ shadow reads


def test_a_difference_is_kept_once_and_never_raised(shop: Switch) -> None:
    at(Stage.SHADOW)
    Customer.objects.create(email="new@example.com")
    assert listed(shop, "ann") == listed(shop, "ann") == []
    (found,) = Mismatch.objects.all()
    assert (found.operation, found.subject, found.legacy, found.new, found.times) == (
        "list",
        "ann",
        [],
        ["new"],
        2,
    )


def test_an_error_of_the_new_side_is_kept_and_never_raised(shop: Switch) -> None:
    at(Stage.SHADOW)

    def broken() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SELECT no_such_column")
        return "never"

    with transaction.atomic():
        assert shop.read("details", legacy=lambda: "fine", new=broken) == "fine"
        assert LegacyNote.objects.count() == 0  # the transaction is not spoiled
    assert "no_such_column" in Mismatch.objects.get().error


def test_a_difference_seen_again_says_when(shop: Switch) -> None:
    at(Stage.SHADOW)
    Customer.objects.create(email="new@example.com")
    listed(shop)
    Mismatch.objects.update(last_seen=timezone.now() - timedelta(days=1))
    listed(shop)
    assert timezone.now() - Mismatch.objects.get().last_seen < timedelta(hours=1)


@pytest.mark.parametrize(
    ("old", "new"),
    [("fine", object()), (object(), "fine"), ("fine", "NUL \0, half a sign \ud800")],
)
def test_answers_that_cannot_be_compared_or_stored_are_nobodys_trouble(
    shop: Switch, old: Any, new: Any
) -> None:
    at(Stage.SHADOW)
    with transaction.atomic():
        assert shop.read("details", legacy=lambda: old, new=lambda: new, subject="\ud800") is old
        assert LegacyNote.objects.count() == 0  # the transaction is not spoiled
    assert Mismatch.objects.count() == isinstance(old, str) * isinstance(new, str)


def test_an_explained_difference_spends_no_budget(shop: Switch) -> None:
    at(Stage.SHADOW, mismatch_budget=0.5)
    shop.read("list", legacy=lambda: 1, new=lambda: 2)
    service.explain_mismatch(Mismatch.objects.get(), explanation="another alphabet", **actor())
    for _ in range(2 * LEAST_COMPARISONS):
        shop.read("list", legacy=lambda: 1, new=lambda: 2)
    comparing.flush("shop")
    found = Cutover.objects.get()
    assert (found.stage, found.mismatched) == (Stage.SHADOW, 1)
    assert Mismatch.objects.get().times == 2 * LEAST_COMPARISONS + 1


def test_comparisons_of_a_stage_that_is_over_count_no_more(shop: Switch) -> None:
    at(Stage.SHADOW, since=timezone.now() - timedelta(days=1))
    shop.read("list", legacy=lambda: 1, new=lambda: 2)
    at(Stage.SHADOW, since=timezone.now())
    comparing.flush("shop")
    assert Cutover.objects.get().compared == 0


def test_expected_differences_are_ignored(shop: Switch) -> None:
    at(Stage.SHADOW, ignored=[{"operation": "details", "field": "seen"}])

    def read(operation: str) -> None:
        shop.read(
            operation,
            legacy=lambda: {"items": [{"name": "ann", "seen": timezone.now()}]},
            new=lambda: {"items": [{"name": "ann", "seen": None}]},
        )

    read("details")
    assert not Mismatch.objects.exists()
    read("list")
    assert Mismatch.objects.count() == 1


def test_differences_are_bounded(shop: Switch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "MOST_MISMATCHES", 3)
    at(Stage.SHADOW, mismatch_budget=1.0)
    for number in range(10):
        shop.read("list", legacy=partial(str, number), new=lambda: "other")
    comparing.flush("shop")
    assert Mismatch.objects.count() == 3
    assert Cutover.objects.get().mismatched == 10


@pytest.mark.parametrize(
    ("budget", "differs", "stage_"),
    [
        ({"mismatch_budget": 0.5}, True, Stage.DUAL_WRITE),
        ({"mismatch_budget": 0.5}, False, Stage.SHADOW),
        ({"latency_budget_ms": 0.0}, False, Stage.DUAL_WRITE),
    ],
)
def test_over_a_budget_it_steps_back_by_itself_and_says_why(
    shop: Switch, budget: dict[str, float], differs: bool, stage_: str
) -> None:
    at(Stage.SHADOW, **budget)
    for _ in range(LEAST_COMPARISONS):
        shop.read("list", legacy=lambda: 1, new=lambda: 2 if differs else 1)
    comparing.flush("shop")
    assert Cutover.objects.get().stage == stage_
    told = Transition.objects.filter(action="step_back")
    assert told.exists() == (stage_ == Stage.DUAL_WRITE)
    assert all(item.reason and item.to_state == Stage.DUAL_WRITE for item in told)


# ------------------------------------------------------------------------------ changing the stage


def test_the_whole_way_there_with_its_audit(shop: Switch) -> None:
    move(Stage.DUAL_WRITE)
    carried_over()
    move(Stage.SHADOW)
    listed(shop)
    move(Stage.LIVE, read_percentage=10)
    move(Stage.LIVE, read_percentage=100)
    move(Stage.RAMP_DOWN)
    move(Stage.COMPLETE)
    told = Transition.objects.filter(action="cutover").order_by("id")
    assert [(item.from_state, item.to_state) for item in told] == [
        ("off", "dual_write"),
        ("dual_write", "shadow"),
        ("shadow", "live"),
        ("live", "live"),
        ("live", "ramp_down"),
        ("ramp_down", "complete"),
    ]
    assert told[2].details == {"cutover": "shop", "read_percentage": 10}


@pytest.mark.parametrize("start", Stage.values)
@pytest.mark.parametrize("end", Stage.values)
def test_only_the_ways_of_the_table_are_open(start: str, end: str) -> None:
    at(start)
    if end == start:
        assert move(end).stage == end
    elif end in STAGE_TRANSITIONS[start]:
        if end in (Stage.SHADOW, Stage.LIVE):
            carried_over()
        assert move(end).stage == end
    else:
        with pytest.raises(CutoverRefused, match="From there it can go to"):
            move(end)
        assert Cutover.objects.get().stage == start


def test_shadow_needs_a_completed_and_verified_run() -> None:
    at(Stage.DUAL_WRITE)
    with pytest.raises(CutoverRefused) as refused:
        move(Stage.SHADOW)
    assert refused.value.code == "run_missing"
    run = carried_over()
    Run.objects.filter(pk=run.pk).update(verification_state="none")
    with pytest.raises(CutoverRefused) as refused:
        move(Stage.SHADOW)
    assert refused.value.code == "not_verified"
    verify_run(run, **actor())
    assert move(Stage.SHADOW).stage == Stage.SHADOW


def refusal(to: str) -> str:
    with pytest.raises(CutoverRefused) as refused:
        move(to)
    return str(refused.value.code)


def test_live_needs_fresh_proof_a_clean_delta_and_no_open_difference() -> None:
    run = carried_over()
    at(Stage.SHADOW)
    Run.objects.filter(pk=run.pk).update(verified_at=timezone.now() - timedelta(hours=25))
    assert refusal(Stage.LIVE) == "verification_old"
    Run.objects.filter(pk=run.pk).update(verified_at=timezone.now())
    stage(1)
    assert refusal(Stage.LIVE) == "delta_waiting"
    run = runs.work_run(runs.start_run("carry_orders", **actor()))  # type: ignore[arg-type]
    verify_run(run, **actor())
    found = Mismatch.objects.create(
        cutover=Cutover.objects.get(), operation="list", digest="0" * 64
    )
    assert refusal(Stage.LIVE) == "mismatches"
    service.explain_mismatch(found, explanation="sorted by another alphabet", **actor())
    assert move(Stage.LIVE).stage == Stage.LIVE


def test_a_key_that_cannot_be_carried_over_is_waived_one_by_one() -> None:
    stage(2)
    (lost,) = stage(1, day=None)
    run = runs.work_run(runs.start_run("carry_orders", **actor()))  # type: ignore[arg-type]
    verify_run(run, **actor())
    at(Stage.SHADOW)
    assert refusal(Stage.LIVE) == "run_unclean"
    with pytest.raises(CarryoverError, match="neither quarantined nor in conflict"):
        service.waive_key(run, "4711", reason="a test", **actor())
    with pytest.raises(PermissionRefused):
        service.waive_key(
            run, str(lost.pk), reason="a test", acting_user=person("clerk"), surface="command"
        )
    code, answer = command("waive", str(run.pk), str(lost.pk), "--reason", "no day, nobody knows")
    assert (code, answer["waived"]) == (0, [{"step": 0, "key": str(lost.pk)}])
    assert Waiver.objects.get().reason == "no day, nobody knows"
    assert move(Stage.LIVE).stage == Stage.LIVE
    assert command("cutover", "shop")[1]["waived"] == 1
    assert command("waive", str(run.pk), str(lost.pk), "--reason", "again")[0] == 1


def test_the_way_back_is_refused_where_the_old_side_lacks_something() -> None:
    carried_over()
    at(Stage.LIVE)
    only_new.append("session u-1")
    with pytest.raises(CutoverRefused, match="session u-1") as refused:
        move(Stage.SHADOW)
    assert refused.value.fields == {"only_in_new": ["session u-1"]}
    only_new.clear()
    assert move(Stage.SHADOW).stage == Stage.SHADOW


@pytest.mark.parametrize(
    ("start", "share", "to", "new_share", "refused"),
    [
        (Stage.RAMP_DOWN, 100, Stage.LIVE, 10, True),
        (Stage.RAMP_DOWN, 100, Stage.LIVE, 100, False),
        (Stage.LIVE, 50, Stage.LIVE, 10, True),
        (Stage.LIVE, 50, Stage.LIVE, 90, False),
    ],
)
def test_fewer_readers_of_the_new_side_need_nothing_that_only_it_has(
    start: str, share: int, to: str, new_share: int, refused: bool
) -> None:
    at(start, read_percentage=share)
    only_new.append("session u-1")
    if refused:
        with pytest.raises(CutoverRefused) as error:
            move(to, read_percentage=new_share)
        assert error.value.code == "only_in_new"
    else:
        assert move(to, read_percentage=new_share).read_percentage == new_share


def test_what_is_written_to_both_sides_waits_for_no_run(shop: Switch) -> None:
    old, *_ = stage(2)
    definition = get_definition("carry_orders")
    key = str(old.pk)

    def write(text: str) -> str:
        LegacyOrder.objects.filter(pk=old.pk).update(content_hash=text.encode())
        return text

    def dual(text: str) -> int:
        shop.write(legacy=lambda _: write(text), new=lambda _: text, source_key=key)
        return waiting_keys(definition)

    at(Stage.DUAL_WRITE)
    assert dual("one") == 2  # it waited before: a dual write is no carrying over
    runs.work_run(runs.start_run("carry_orders", **actor()))  # type: ignore[arg-type]
    assert waiting_keys(definition) == 0
    assert dual("two") == 0
    write("three")
    assert waiting_keys(definition) == 1  # changed behind the application's back
    assert dual("four") == 1
    at(Stage.OFF)
    assert dual("two") == 0  # as it was written to both
    assert dual("five") == 1  # one side alone


@pytest.mark.parametrize(
    "wrong", [{"reason": " "}, {"read_percentage": 101}, {"read_percentage": -1}]
)
def test_a_wrong_change_changes_nothing(wrong: dict[str, Any]) -> None:
    with pytest.raises(CutoverRefused):
        change_stage("shop", Stage.DUAL_WRITE, **{"reason": "a test", **wrong}, **actor())
    assert not Cutover.objects.exclude(stage=Stage.OFF).exists()


def test_who_may_not_cut_over_is_refused_on_record() -> None:
    clerk = person("clerk", "run")
    with pytest.raises(PermissionRefused):
        move(Stage.DUAL_WRITE, acting_user=clerk)
    assert Transition.objects.get(action="refused").details == {"permission": "cutover"}
    assert move(Stage.DUAL_WRITE, acting_user=person("chief", "cutover")).stage == "dual_write"


# ------------------------------------------------------------------------------ command


def command(*arguments: str) -> tuple[int, dict[str, Any]]:
    out = StringIO()
    code = 0
    try:
        call_command("datamigrate", *arguments, "--json", stdout=out)
    except SystemExit as end:
        code = int(str(end.code or 0))
    answer: dict[str, Any] = json.loads(out.getvalue())
    return code, answer


def test_the_command_shows_and_moves() -> None:
    code, answer = command("cutover", "shop")
    assert (code, answer["stage"], answer["next"]) == (0, "off", ["dual_write"])
    assert answer["meaning"] == STAGE_SENTENCES[Stage.OFF]
    code, answer = command("cutover", "shop", "dual_write", "--reason", "the new shop opens")
    assert (code, answer["stage"], answer["writes"]) == (0, "dual_write", ["legacy", "new"])
    code, answer = command("cutover", "shop", "complete", "--reason", "too early")
    assert (code, answer["error"]["code"]) == (1, "cutover_refused")
    code, answer = command("cutover", "shoe")
    assert (code, answer["error"]["code"]) == (1, "unknown_cutover")


def test_an_unknown_key_is_told_with_the_known_ones() -> None:
    with pytest.raises(UnknownCutover, match="known are: shop"):
        get_cutover("shoe")
