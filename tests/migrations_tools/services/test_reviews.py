"""Deciding what runs left to review: recorded, applied and undone as one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection, transaction

from migrations_tools.definitions import (
    Apply,
    DataMigration,
    Decision,
    Outcome,
    Review,
    RowSource,
    Step,
    Update,
    registry,
)
from migrations_tools.engine.claim import Owner, claim_batch
from migrations_tools.engine.context import RunContext
from migrations_tools.engine.cutting import Idle
from migrations_tools.engine.execute import execute_batch
from migrations_tools.exceptions import (
    ActiveRun,
    CarryoverError,
    InvalidOption,
    PermissionRefused,
    ReviewRefused,
    TransitionRefused,
)
from migrations_tools.management.datamigrate.running import pause_interrupted
from migrations_tools.models import Batch, ReviewItem, Run, Transition
from migrations_tools.selectors.reviews import awaiting_review, review_queue
from migrations_tools.selectors.summary import summarise
from migrations_tools.services import reviews, runs
from migrations_tools.services.rollback import roll_back_run
from migrations_tools.services.verification import verify_run
from migrations_tools.states import ReviewDecision
from migrations_tools.testing import assert_sound
from tests.migrations_tools.engine.test_running import actor, stage
from tests.shop.data_migrations import OrderStep
from tests.shop.models import DayBook, LegacyOrder, Order

pytestmark = pytest.mark.django_db(transaction=True)

ACCEPTED, CHOSEN = ReviewDecision.ACCEPTED, ReviewDecision.CHOSEN
PARKED, SKIPPED = ReviewDecision.PARKED, ReviewDecision.SKIPPED


def carry(name: str = "carry_orders") -> Run:
    run = runs.start_run(name, **actor())
    assert run is not None
    return runs.work_run(run)


def unsure(count: int = 3) -> tuple[Run, list[str]]:
    """A run that left so many orders to review, and their keys."""
    rows = stage(count, kind="unsure")
    return carry(), [str(row.pk) for row in rows]


def decide(run: Run, decision: str, *keys: str, **arguments: Any) -> Run:
    decision_run = reviews.decide(run, decision, keys, **{**actor(), **arguments})
    assert decision_run is not None
    return decision_run


def apply(run: Run, decision: str, *keys: str, **arguments: Any) -> dict[str, Any]:
    return summarise(runs.work_run(decide(run, decision, *keys, **arguments)))


def rolled_back(run: Run) -> Run:
    rollback = roll_back_run(run, reason="a test", **actor())
    assert rollback is not None
    return runs.work_run(rollback)


def decisions(run: Run) -> dict[str, str]:
    return {item["key"]: item["decision"] for item in review_queue(run)["items"]}


def person(name: str, *permissions: str) -> User:
    user = User.objects.create_user(name)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


# ------------------------------------------------------------------------------------- what is done


def test_the_queue_tells_what_a_person_needs_to_decide() -> None:
    run, (key,) = unsure(1)
    assert review_queue(run) == {
        "run": str(run.pk),
        "items": [
            {
                "key": key,
                "confidence": 0.4,
                "proposal": {"number": "A0"},
                "evidence": {"total": "10.50"},
                "decision": "open",
                "decided_by": None,
                "reason": "",
            }
        ],
    }
    assert awaiting_review("carry_orders") == 1


def test_accepted_items_are_applied_as_one_run_of_exactly_these_keys() -> None:
    stage(1)
    run, (first, second, third) = unsure()
    summary = apply(run, ACCEPTED, first, third, reason="looked at")
    assert (summary["kind"], summary["state"], summary["total"]) == ("apply", "completed", 2)
    assert summary["outcomes"]["applied"] == 2
    assert set(Order.objects.values_list("number", flat=True)) == {"A0", "A1", "A3"}
    assert [book.orders for book in DayBook.objects.all()] == [Order.objects.count()]
    assert decisions(run) == {second: "open", first: "accepted", third: "accepted"}
    decided = ReviewItem.objects.get(key=first)
    assert str(decided.applied_by_id) == summary["run"]
    assert (decided.decided_by, decided.reason) == (actor()["acting_user"], "looked at")
    assert_sound(Run.objects.get(pk=summary["run"]))
    assert verify_run(run, **actor())["ok"]


def test_without_keys_all_that_wait_are_decided() -> None:
    run, (first, *_) = unsure(4)
    reviews.decide(run, SKIPPED, [first], **actor())
    assert apply(run, ACCEPTED)["total"] == 3
    assert reviews.decide(run, ACCEPTED, [], **actor()) is None
    assert awaiting_review("carry_orders") == 0


def test_a_choice_replaces_the_proposal() -> None:
    run, (key, _) = unsure(2)
    assert apply(run, CHOSEN, key, choice={"number": "B1"})["outcomes"]["applied"] == 1
    assert Order.objects.get().number == "B1"
    assert ReviewItem.objects.get(key=key).choice == {"number": "B1"}


def test_what_is_parked_is_as_the_definition_says() -> None:
    run, (key, _) = unsure(2)
    summary = apply(run, PARKED, key)
    assert (summary["outcomes"]["skipped"], summary["codes"]) == (1, {"parked_order": 1})
    assert decisions(run)[key] == "parked"
    assert not Order.objects.exists()


def test_skipping_is_recorded_and_makes_no_run() -> None:
    run, (key, other) = unsure(2)
    before = Run.objects.count()
    assert reviews.decide(run, SKIPPED, [key], reason="a duplicate", **actor()) is None
    assert Run.objects.count() == before
    assert decisions(run) == {other: "open", key: "skipped"}
    recorded = Transition.objects.get(action="review")
    assert (recorded.run, recorded.reason, recorded.details) == (
        run,
        "a duplicate",
        {"decision": "skipped", "keys": [key], "run": None},
    )


def test_what_a_person_decided_is_not_selected_again() -> None:
    run, _ = unsure(2)
    apply(run, ACCEPTED)
    assert runs.start_run("carry_orders", **actor()) is None


def test_a_decision_may_end_in_another_review() -> None:
    run, (key,) = unsure(1)
    summary = apply(run, CHOSEN, key, choice={"number": "unsure"})
    assert summary["outcomes"]["review"] == 1
    again = Run.objects.get(pk=summary["run"])
    (item,) = review_queue(again)["items"]
    assert (item["decision"], item["evidence"]) == ("open", {"again": True})
    assert decisions(run) == {key: "chosen"}
    assert awaiting_review("carry_orders") == 1
    assert apply(again, ACCEPTED)["outcomes"]["applied"] == 1


def test_many_decisions_take_several_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reviews, "DECIDED_BATCH_KEYS", 3)
    run, _ = unsure(8)
    decision_run = decide(run, ACCEPTED)
    assert [batch.size for batch in decision_run.batches.all()] == [3, 3, 2]
    assert summarise(runs.work_run(decision_run))["outcomes"]["applied"] == 8
    assert_sound(decision_run)


# ---------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("decision", "keys", "choice", "code"),
    [
        (ACCEPTED, ["no-such-key"], None, "unknown_review"),
        (SKIPPED, ["no-such-key"], None, "unknown_review"),
        (CHOSEN, [], {"number": "B1"}, "keys_missing"),
        (CHOSEN, ["KEY"], None, "choice_missing"),
        (CHOSEN, ["KEY"], {"colour": "red"}, "invalid_option"),
        (ACCEPTED, ["KEY"], {"number": "B1"}, "choice_not_taken"),
        (CHOSEN, ["KEY"], {"number": "A0"}, "number_taken"),
        ("open", ["KEY"], None, "unknown_decision"),
    ],
)
def test_a_wrong_decision_is_refused_as_a_whole(
    decision: str, keys: list[str], choice: dict[str, str] | None, code: str
) -> None:
    stage(1)
    run, (key, other) = unsure(2)
    before = Run.objects.count()
    asked = [other, *keys] if "no-such-key" in keys else [key if k == "KEY" else k for k in keys]
    with pytest.raises(CarryoverError) as refused:
        reviews.decide(run, decision, asked, choice=choice, **actor())
    assert refused.value.code == code
    assert refused.value.message.endswith((".", "list"))
    assert set(decisions(run).values()) == {"open"}
    assert Run.objects.count() == before
    assert not Transition.objects.filter(action="review").exists()


def test_what_is_decided_already_is_refused_with_who_and_when() -> None:
    run, (key, other) = unsure(2)
    reviews.decide(run, SKIPPED, [key], acting_user=person("rana", "review"), surface="api")
    for decision in (ACCEPTED, SKIPPED):
        with pytest.raises(
            ReviewRefused, match=rf"{key} was decided already: skipped, by rana, 2"
        ) as refused:
            reviews.decide(run, decision, [other, key], **actor())
        assert refused.value.code == "already_decided"
        assert refused.value.fields["decided_by"] == "rana"
    assert decisions(run)[other] == "open"


def test_a_decision_is_refused_while_a_run_is_active_but_for_skipping() -> None:
    run, (key, other) = unsure(2)
    stage(1)
    active = runs.start_run("carry_orders", **actor())
    assert active is not None
    with pytest.raises(ActiveRun, match=str(active.pk)):
        reviews.decide(run, ACCEPTED, [key], **actor())
    assert decisions(run)[key] == "open"
    reviews.decide(run, SKIPPED, [other], **actor())
    assert decisions(run)[other] == "skipped"


def test_who_may_not_review_is_refused_on_record() -> None:
    run, (key,) = unsure(1)
    with pytest.raises(PermissionRefused, match="“review” is missing"):
        reviews.decide(run, SKIPPED, [key], acting_user=person("omar", "run"), surface="api")
    assert Transition.objects.filter(action="refused", actor__username="omar", run=run).exists()
    assert decisions(run) == {key: "open"}


def test_who_may_review_decides_and_applies_without_other_rights() -> None:
    run, (key,) = unsure(1)
    rana = person("rana", "review")
    summary = apply(run, ACCEPTED, key, acting_user=rana)
    assert summary["outcomes"]["applied"] == 1
    assert Run.objects.get(pk=summary["run"]).actor == rana
    assert Order.history.get().history_user == rana
    assert review_queue(run)["items"][0]["decided_by"] == "rana"


def test_a_step_without_decided_can_only_be_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    run, (key,) = unsure(1)
    monkeypatch.delattr(OrderStep, "decided")
    with pytest.raises(ReviewRefused, match="can only be skipped") as refused:
        reviews.decide(run, ACCEPTED, [key], **actor())
    assert refused.value.code == "decision_not_supported"
    reviews.decide(run, SKIPPED, [key], **actor())
    assert decisions(run) == {key: "skipped"}


def test_who_may_not_pause_leaves_an_interrupted_decision_running() -> None:
    run, (key,) = unsure(1)
    rana = person("rana", "review")
    decision_run = decide(run, ACCEPTED, key, acting_user=rana)
    runs.begin(decision_run)
    pause_interrupted(decision_run, {"acting_user": rana, "surface": "command"})
    decision_run.refresh_from_db()
    assert decision_run.state == "running"
    assert summarise(runs.work_run(decision_run))["outcomes"]["applied"] == 1


def test_two_people_decide_the_same_item_and_one_is_told() -> None:
    run, (key,) = unsure(1)
    names = [person("rana", "review"), person("omar", "review")]
    together = threading.Barrier(2)
    told: list[str] = []
    queued: list[Run] = []

    def one(user: User) -> None:
        try:
            together.wait(timeout=10)
            queued.append(decide(run, ACCEPTED, key, acting_user=user))
        except CarryoverError as refused:
            told.append(refused.code)
        finally:
            connection.close()

    in_threads(*[lambda user=user: one(user) for user in names])
    assert told == ["already_decided"]
    (decision_run,) = queued
    assert ReviewItem.objects.get().decided_by == decision_run.actor
    assert summarise(runs.work_run(decision_run))["outcomes"]["applied"] == 1
    assert Order.objects.count() == 1


def test_who_comes_second_waits_for_the_first_to_decide_or_give_up() -> None:
    run, (key,) = unsure(1)
    told: list[str] = []

    def second() -> None:
        try:
            reviews.decide(run, SKIPPED, [key], **actor())
        except CarryoverError as refused:
            told.append(refused.code)
        finally:
            connection.close()

    with transaction.atomic():
        decide(run, ACCEPTED, key)
        waiting = threading.Thread(target=second)
        waiting.start()
        waiting.join(timeout=0.5)
        assert waiting.is_alive()
    waiting.join(timeout=10)
    assert told == ["already_decided"]


def in_threads(*deeds: Callable[[], None]) -> None:
    threads = [threading.Thread(target=deed) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)


# --------------------------------------------------------------------------- what changed meanwhile


def orders(*totals: str) -> list[str]:
    """Orders that nobody filed yet; their keys."""
    book = DayBook.objects.create(day="2025-05-01")
    made = Order.objects.bulk_create(
        Order(number=f"A{n}", day_book=book, total=Decimal(total)) for n, total in enumerate(totals)
    )
    return [str(order.pk) for order in made]


def test_a_row_that_is_no_longer_what_the_review_saw_is_a_conflict_and_open_again() -> None:
    changed, assigned, deleted, same = orders("1.50", "2.50", "3.50", "4.50")
    run = carry("file_orders")
    Order.objects.filter(pk=changed).update(total="9.00")
    Order.objects.filter(pk=assigned).update(note="somebody's own")
    Order.objects.filter(pk=deleted).delete()
    summary = apply(run, ACCEPTED)
    counted = {name: number for name, number in summary["outcomes"].items() if number}
    assert counted == {"applied": 1, "conflict": 2, "gone": 1}
    assert summary["codes"] == {"changed_since_plan": 2, "gone": 1}
    assert Order.objects.get(pk=assigned).note == "somebody's own"
    assert Order.objects.get(pk=same).note == "about 4.50"
    assert decisions(run) == {changed: "open", assigned: "open", deleted: "open", same: "accepted"}
    again = carry("file_orders")
    assert decisions(again) == {changed: "open"}
    assert changed not in decisions(run)
    assert apply(again, ACCEPTED)["outcomes"]["applied"] == 1


def test_staged_content_that_changed_is_a_conflict_and_taken_up_by_the_next_run() -> None:
    run, (key,) = unsure(1)
    LegacyOrder.objects.filter(pk=key).update(content_hash=b"new" * 10, total="11")
    assert apply(run, ACCEPTED)["outcomes"]["conflict"] == 1
    assert decisions(run) == {key: "open"}
    assert summarise(carry())["outcomes"]["review"] == 1
    assert decisions(run) == {}


def test_a_key_that_is_rejected_is_quarantined_and_open_again() -> None:
    fine, bad = orders("1.50", "2.50")
    run = carry("file_orders")
    summary = apply(run, CHOSEN, bad, choice={"project": "closed"})
    assert summary["codes"] == {"project_closed": 1}
    assert decisions(run) == {fine: "open", bad: "open"}
    decision_run = Run.objects.get(pk=summary["run"])
    with pytest.raises(TransitionRefused, match=f"review {run.pk} list"):
        runs.retry_run(decision_run, [], **actor())
    assert apply(run, CHOSEN, bad, choice={"project": "open"})["outcomes"]["applied"] == 1
    assert Order.objects.get(pk=bad).note == "open"


def test_one_bad_row_never_costs_the_others() -> None:
    run, (first, *_) = unsure(5)
    Order.objects.create(number="A0", day_book=DayBook.objects.create(day="2001-01-01"), total=1)
    summary = apply(run, ACCEPTED)
    assert summary["outcomes"]["applied"] == 4
    assert summary["codes"] == {"duplicate_value": 1}
    assert {key for key, decision in decisions(run).items() if decision == "open"} == {first}
    assert_sound(Run.objects.get(pk=summary["run"]))


def test_a_newer_item_supersedes_an_older_open_one() -> None:
    (key,) = orders("1.50")
    older = carry("file_orders")
    newer = carry("file_orders")
    assert (decisions(older), decisions(newer)) == ({}, {key: "open"})
    assert awaiting_review("file_orders") == 1
    with pytest.raises(ReviewRefused, match="later run") as refused:
        reviews.decide(older, ACCEPTED, [key], **actor())
    assert refused.value.code == "superseded"
    assert reviews.decide(older, ACCEPTED, [], **actor()) is None
    rolled_back(newer)
    assert (decisions(older), decisions(newer)) == ({key: "open"}, {})


def test_what_a_later_run_carried_over_needs_no_decision() -> None:
    (key,) = orders("1.50")
    run = carry("file_orders")
    Order.objects.filter(pk=key).update(total="0.50")
    assert summarise(carry("file_orders"))["outcomes"]["applied"] == 1
    assert decisions(run) == {}
    assert awaiting_review("file_orders") == 0


# ---------------------------------------------------------------------- stopped, resumed and undone


def test_a_cancelled_decision_is_open_again_where_it_was_not_carried_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reviews, "DECIDED_BATCH_KEYS", 2)
    run, (first, second, third, fourth) = unsure(4)
    decision_run = decide(run, ACCEPTED)
    runs.work_run(decision_run, stopping=lambda: Order.objects.exists())
    runs.cancel_run(decision_run, **actor())
    assert Order.objects.count() == 2
    assert decisions(run) == {
        third: "open",
        fourth: "open",
        first: "accepted",
        second: "accepted",
    }
    assert apply(run, ACCEPTED)["total"] == 2
    assert Order.objects.count() == 4
    assert_sound(Run.objects.filter(reviewed=run).latest("created_at"))


def test_a_decision_that_was_never_begun_can_be_cancelled() -> None:
    run, (key,) = unsure(1)
    decision_run = decide(run, ACCEPTED)
    assert decisions(run) == {key: "accepted"}
    assert runs.cancel_run(decision_run, **actor()).state == "cancelled"
    assert decisions(run) == {key: "open"}
    item = ReviewItem.objects.get()
    assert (item.decided_by, item.decided_at, item.decision_run) == (None, None, None)


def test_a_paused_decision_is_resumed_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reviews, "DECIDED_BATCH_KEYS", 1)
    run, _ = unsure(3)
    decision_run = decide(run, ACCEPTED)
    runs.work_run(decision_run, stopping=lambda: Order.objects.exists())
    paused = runs.pause_run(decision_run, **actor())
    with pytest.raises(ActiveRun):
        runs.start_run("carry_orders", **actor())
    resumed = runs.work_run(runs.resume_run(paused, **actor()))
    assert summarise(resumed)["outcomes"]["applied"] == 3
    assert_sound(resumed)


def test_a_rolled_back_decision_is_undone_and_open_again() -> None:
    run, (first, second, third) = unsure()
    applied = Run.objects.get(pk=apply(run, ACCEPTED, first)["run"])
    parked = Run.objects.get(pk=apply(run, PARKED, second)["run"])
    rollback = rolled_back(applied)
    assert summarise(rollback)["outcomes"]["restored"] == 1
    assert verify_run(rollback, **actor())["ok"]
    assert not Order.objects.exists()
    assert decisions(run) == {first: "open", third: "open", second: "parked"}
    rolled_back(parked)
    assert set(decisions(run).values()) == {"open"}
    assert runs.start_run("carry_orders", **actor()) is None
    assert apply(run, ACCEPTED)["outcomes"]["applied"] == 3
    assert Order.objects.count() == 3


def test_a_decision_whose_row_was_edited_since_stays_when_the_others_are_rolled_back() -> None:
    run, (first, second) = unsure(2)
    decision_run = Run.objects.get(pk=apply(run, ACCEPTED)["run"])
    Order.objects.filter(number="A0").update(note="a person's own")
    outcomes = summarise(rolled_back(decision_run))["outcomes"]
    assert (outcomes["restored"], outcomes["conflict"]) == (1, 1)
    assert decisions(run) == {second: "open", first: "accepted"}
    forced = roll_back_run(decision_run, reason="a test", force=True, **actor())
    assert forced is not None
    runs.work_run(forced)
    assert set(decisions(run).values()) == {"open"}


def test_a_rollback_that_is_cancelled_opens_only_what_it_restored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reviews, "DECIDED_BATCH_KEYS", 1)
    run, (first, second) = unsure(2)
    decision_run = Run.objects.get(pk=apply(run, ACCEPTED)["run"])
    rollback = roll_back_run(decision_run, reason="a test", **actor())
    assert rollback is not None
    runs.work_run(rollback, stopping=lambda: Order.objects.count() == 1)
    runs.cancel_run(rollback, **actor())
    assert decisions(run) == {second: "open", first: "accepted"}
    assert apply(run, ACCEPTED)["outcomes"]["applied"] == 1
    assert Order.objects.count() == 2


def test_the_reviewed_run_and_its_decisions_roll_back_independently() -> None:
    stage(2)
    run, (key, _) = unsure(2)
    applied = Run.objects.get(pk=apply(run, ACCEPTED, key)["run"])
    rolled_back(run)
    assert list(Order.objects.values_list("number", flat=True)) == ["A2"]
    assert decisions(run) == {key: "accepted"}
    with pytest.raises(ReviewRefused, match="taken back"):
        reviews.decide(run, ACCEPTED, [decided_not(run, key)], **actor())
    rolled_back(applied)
    assert summarise(carry())["total"] == 4
    assert awaiting_review("carry_orders") == 2


def decided_not(run: Run, key: str) -> str:
    return ReviewItem.objects.filter(run=run).exclude(key=key).get().key


def test_an_unknown_option_names_the_known_ones() -> None:
    run, (key,) = unsure(1)
    with pytest.raises(InvalidOption, match="Options are: number"):
        reviews.decide(run, CHOSEN, [key], choice={"project": "x"}, **actor())


# ------------------------------------------------------------------------------------ several steps


class FirstStep(Step):
    source = RowSource(LegacyOrder)
    writes = [LegacyOrder]

    def transform(self, row: Any, context: Any) -> Outcome:
        return Review({})

    def decided(self, row: Any, context: Any, decision: Decision) -> Outcome:
        return Apply([Update(row, line="first")])


class SecondStep(FirstStep):
    def decided(self, row: Any, context: Any, decision: Decision) -> Outcome:
        return Apply([Update(row, line=f"{row.line}, then second")])


class TwoReviews(DataMigration):
    steps = [FirstStep, SecondStep]


def test_a_step_is_decided_after_the_one_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {**registry._definitions, "two_reviews": TwoReviews}
    monkeypatch.setattr(registry, "_definitions", known)
    (row,) = stage(1)
    run = carry("two_reviews")
    decision_run = decide(run, ACCEPTED, str(row.pk))
    assert [batch.step for batch in decision_run.batches.order_by("step")] == [0, 1]
    runs.begin(decision_run)
    context = RunContext.of(decision_run)
    first = claim_batch(context, Owner("one"), 10)
    assert isinstance(first, Batch)
    assert claim_batch(context, Owner("two"), 10) is Idle.WAIT
    execute_batch(context, first)
    assert summarise(runs.work_run(decision_run))["outcomes"]["applied"] == 2
    row.refresh_from_db()
    assert row.line == "first, then second"


def test_where_one_row_changed_meanwhile_the_other_decisions_are_carried_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keys = orders("5.00", "6.00")
    step = registry.get_definition("file_orders").steps[0]
    changed = DayBook.objects.create(day="2024-01-01", title="as it was")
    run = carry("file_orders")

    def load(self: Any, rows: Any) -> DayBook:
        book = DayBook.objects.get(pk=changed.pk)
        DayBook.objects.filter(pk=changed.pk).update(title="changed by another step")
        return book

    def decided(self: Any, row: Any, book: DayBook, decision: Any) -> Apply:
        updates = [Update(row, note="decided")]
        return Apply([*updates, Update(book, title="new")] if str(row.pk) == keys[0] else updates)

    monkeypatch.setattr(step, "load", load)
    monkeypatch.setattr(step, "decided", decided)
    monkeypatch.setattr(step, "writes", [Order, DayBook])
    summary = apply(run, ACCEPTED)
    assert [(item["key"], item["code"]) for item in summary["problems"]] == [
        (keys[0], "changed_meanwhile")
    ]
    assert dict(Order.objects.values_list("pk", "note")) == {
        int(keys[0]): "",
        int(keys[1]): "decided",
    }
