"""Rolling back: three-way, by source key, respecting what people did meanwhile."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from migrations_tools.engine.claim import Owner, claim_batch
from migrations_tools.engine.context import RunContext
from migrations_tools.engine.execute import execute_batch
from migrations_tools.engine.export import export_path
from migrations_tools.exceptions import (
    CarryoverError,
    JournalDamaged,
    SchemaDrift,
    TransitionRefused,
)
from migrations_tools.models import Batch, LedgerEntry, RowChange, Run
from migrations_tools.selectors.summary import summarise
from migrations_tools.services import runs
from migrations_tools.services.retention import erase_personal
from migrations_tools.services.rollback import rehearse_rollback, roll_back_run
from migrations_tools.services.verification import verify_definition, verify_run
from tests.migrations_tools.engine.test_running import DAY, actor, carry, stage
from tests.shop.models import (
    CommentAnswer,
    DayBook,
    KeptComment,
    LegacyOrder,
    Order,
    OrderComment,
    OrderLine,
)

pytestmark = pytest.mark.django_db(transaction=True)


def roll_back(run_id: str, **arguments: Any) -> dict[str, Any]:
    run = Run.objects.get(pk=run_id)
    rollback = roll_back_run(run, reason="a test", **actor(), **arguments)
    assert rollback is not None
    return summarise(runs.work_run(rollback))


def test_everything_is_taken_back_and_can_be_carried_over_again() -> None:
    stage(9, line="a line")
    carried = carry()
    back = roll_back(carried["run"])
    assert back["kind"] == "rollback"
    assert back["state"] == "completed"
    assert back["outcomes"]["restored"] == back["total"] == 9
    assert Order.objects.count() == OrderLine.objects.count() == DayBook.objects.count() == 0
    assert not LegacyOrder.objects.filter(order__isnull=False).exists()
    assert Run.objects.get(pk=carried["run"]).state == "rolled_back"
    assert Order.history.filter(history_type="-").count() == 9
    assert carry()["outcomes"]["applied"] == 9


def test_a_row_edited_since_stays_with_all_rows_of_its_key_and_is_listed() -> None:
    stage(6, line="a line")
    carried = carry()
    edited = Order.objects.get(number="A2")
    edited.note = "seen by a person"
    edited.save()
    back = roll_back(carried["run"])
    assert back["outcomes"]["restored"] == 5
    assert back["outcomes"]["conflict"] == 1
    (problem,) = back["problems"]
    assert problem["code"] == "edited_since"
    assert f"shop.order {edited.pk}" in problem["detail"]
    assert Order.objects.get().number == "A2"
    assert OrderLine.objects.get().order_id == edited.pk
    assert LegacyOrder.objects.get(order=edited).number == "A2"
    assert DayBook.objects.get().orders == 1
    assert Run.objects.get(pk=carried["run"]).state == "partially_rolled_back"


def test_a_row_that_something_new_refers_to_stays() -> None:
    stage(3)
    carried = carry()
    order = Order.objects.get(number="A1")
    OrderLine.objects.create(order=order, text="added since")
    back = roll_back(carried["run"])
    assert back["outcomes"]["conflict"] == 1
    assert back["problems"][0]["code"] == "still_referenced"
    assert Order.objects.get() == order


def test_only_the_columns_of_the_run_are_restored() -> None:
    stage(2)
    carry()
    revised = carry("revise_orders")
    Order.objects.filter(number="A0").update(total=99)
    back = roll_back(revised["run"])
    assert back["outcomes"]["restored"] == 2
    assert list(Order.objects.order_by("number").values_list("note", "total")) == [
        ("", Decimal(99)),
        ("", Decimal("10.5")),
    ]


def test_an_edit_in_a_column_of_the_run_is_a_conflict_that_names_the_column() -> None:
    stage(2)
    carry()
    revised = carry("revise_orders")
    Order.objects.filter(number="A0").update(note="mine")
    back = roll_back(revised["run"])
    assert back["outcomes"]["conflict"] == back["outcomes"]["restored"] == 1
    assert back["problems"][0]["detail"].endswith("was edited since: note")
    assert Order.objects.get(number="A0").note == "mine"


def test_force_exports_what_people_did_and_takes_it_back_too() -> None:
    stage(3)
    carried = carry()
    order = Order.objects.get(number="A1")
    order.note = "seen by a person"
    order.save()
    assert roll_back(carried["run"])["outcomes"]["conflict"] == 1
    run = Run.objects.get(pk=carried["run"])
    assert roll_back_run(run, reason="again", **actor()) is None
    forced = roll_back(carried["run"], force=True)
    assert forced["outcomes"]["restored"] == forced["total"] == 1
    assert Order.objects.count() == 0
    assert Run.objects.get(pk=carried["run"]).state == "rolled_back"
    (line,) = export_path(Run.objects.get(pk=forced["run"])).read_text().splitlines()
    assert json.loads(line)["row"]["note"] == "seen by a person"


def test_force_exports_and_takes_away_what_cascades_from_a_new_row_deepest_first() -> None:
    stage(3)
    carried = carry()
    comment = OrderComment.objects.create(order=Order.objects.get(number="A1"), text="a word")
    CommentAnswer.objects.create(comment=comment, text="an answer")
    kept = roll_back(carried["run"])
    assert kept["outcomes"]["conflict"] == 1
    assert kept["problems"][0]["code"] == "still_referenced"
    assert (OrderComment.objects.count(), CommentAnswer.objects.count()) == (1, 1)
    forced = roll_back(carried["run"], force=True)
    assert forced["outcomes"]["restored"] == forced["total"] == 1
    for label in ("shop.commentanswer", "shop.ordercomment", "shop.order"):
        assert forced["changes"][label]["delete"] == 1, label
    assert not OrderComment.objects.exists()
    assert not CommentAnswer.objects.exists()
    run = Run.objects.get(pk=forced["run"])
    exported = [json.loads(line) for line in export_path(run).read_text().splitlines()]
    assert [(line["model"], line["row"]["text"]) for line in exported] == [
        ("shop.commentanswer", "an answer"),
        ("shop.ordercomment", "a word"),
    ]
    journal = RowChange.objects.filter(run=run, model="shop.ordercomment", operation="delete")
    assert [entry.before["text"] for entry in journal if entry.before] == ["a word"]
    proof = verify_run(run, **actor())
    assert proof["ok"], [check for check in proof["checks"] if not check["ok"]]


def test_force_takes_nothing_away_that_somebody_protects() -> None:
    stage(3)
    carried = carry()
    for number in ("A0", "A1"):
        OrderComment.objects.create(order=Order.objects.get(number=number), text=number)
    kept = KeptComment.objects.create(comment=OrderComment.objects.get(text="A1"))
    OrderLine.objects.create(order=Order.objects.get(number="A2"), text="added since")
    forced = roll_back(carried["run"], force=True)
    assert (forced["outcomes"]["restored"], forced["outcomes"]["conflict"]) == (1, 2)
    assert [problem["code"] for problem in forced["problems"]] == ["still_referenced"] * 2
    assert f"shop.keptcomment {kept.pk}" in forced["problems"][0]["detail"]
    assert list(Order.objects.order_by("number").values_list("number", flat=True)) == ["A1", "A2"]
    assert OrderComment.objects.get().text == "A1"
    assert Run.objects.get(pk=carried["run"]).state == "partially_rolled_back"


def test_batches_are_taken_back_in_the_order_they_wrote_whatever_their_numbers() -> None:
    book = DayBook.objects.create(day=DAY, title="title")
    for number in ("A0", "A1"):
        Order.objects.create(number=number, day_book=book, total=1)
    run = runs.start_run("name_books", tuning={"batch_size": 1}, **actor())
    assert run is not None
    runs.begin(run)
    context = RunContext.of(run)
    first, second = (claim_batch(context, Owner(name), 1) for name in ("slow", "fast"))
    assert isinstance(first, Batch)
    assert isinstance(second, Batch)
    execute_batch(RunContext.of(run), second)
    execute_batch(RunContext.of(run), first)
    assert runs.work_run(run).state == "completed"
    assert DayBook.objects.get().title == "title with A1 with A0"
    back = roll_back(str(run.pk))
    assert back["outcomes"]["restored"] == back["total"] == 2
    assert DayBook.objects.get().title == "title"
    undone = Batch.objects.filter(run=back["run"], undoes__isnull=False).order_by("number")
    assert list(undone.values_list("undoes__number", flat=True)) == [first.number, second.number]


def test_a_rehearsed_rollback_counts_and_keeps_nothing() -> None:
    stage(4)
    carried = carry()
    Order.objects.filter(number="A0").update(note="mine")
    run = Run.objects.get(pk=carried["run"])
    rehearsed = rehearse_rollback(run, **actor())
    assert rehearsed is not None
    foretold = summarise(rehearsed)
    assert foretold["outcomes"]["restored"] == 3
    assert foretold["outcomes"]["conflict"] == 1
    assert Order.objects.count() == 4
    real = roll_back(carried["run"])
    assert real["outcomes"] == foretold["outcomes"]
    assert real["changes"] == foretold["changes"]


def test_two_runs_roll_back_in_either_order() -> None:
    stage(3)
    first = carry()
    stage(3)
    second = carry()
    assert roll_back(first["run"])["outcomes"]["restored"] == 3
    assert sorted(Order.objects.values_list("number", flat=True)) == ["A3", "A4", "A5"]
    assert roll_back(second["run"])["outcomes"]["restored"] == 3
    assert Order.objects.count() == DayBook.objects.count() == 0


def test_a_shared_object_another_run_uses_stays_until_that_is_rolled_back_too() -> None:
    stage(2)
    first = carry()
    stage(1)
    second = carry()
    assert DayBook.objects.get().orders == 3
    roll_back(first["run"])
    assert DayBook.objects.get().orders == 1
    roll_back(second["run"])
    assert DayBook.objects.count() == 0


def _behind_the_triggers(statement: str, parameters: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE migrations_tools_rowchange DISABLE TRIGGER USER")
        cursor.execute(statement, parameters)
        cursor.execute(
            "ALTER TABLE migrations_tools_rowchange ENABLE ALWAYS TRIGGER "
            "migrations_tools_journal_append_only"
        )
        cursor.execute(
            "ALTER TABLE migrations_tools_rowchange ENABLE ALWAYS TRIGGER "
            "migrations_tools_journal_not_truncated"
        )


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM migrations_tools_rowchange WHERE id = %s",
        "UPDATE migrations_tools_rowchange SET pk_text = pk_text || '0' WHERE id = %s",
        "UPDATE migrations_tools_rowchange SET image = image || 'x'::bytea WHERE id = %s",
    ],
)
def test_a_damaged_journal_is_refused_before_the_first_write(damage: str) -> None:
    stage(4)
    run = Run.objects.get(pk=carry()["run"])
    entry = RowChange.objects.filter(run=run, model="shop.order").earliest("pk")
    _behind_the_triggers(damage, [entry.pk])
    with pytest.raises(JournalDamaged, match="nothing was rolled back"):
        roll_back_run(run, reason="a test", **actor())
    assert Order.objects.count() == 4
    assert not Run.objects.filter(kind="rollback").exists()


def test_a_changed_column_is_found_before_the_first_write() -> None:
    stage(2)
    run = Run.objects.get(pk=carry()["run"])
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE shop_order ALTER COLUMN number TYPE varchar(10)")
    try:
        with pytest.raises(SchemaDrift, match=r"shop\.order\.number was character varying\(20\)"):
            roll_back_run(run, reason="a test", **actor())
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE shop_order ALTER COLUMN number TYPE varchar(20)")
    assert Order.objects.count() == 2


def test_what_cannot_be_rolled_back_is_refused_with_a_sentence() -> None:
    stage(2)
    run = Run.objects.get(pk=carry()["run"])
    with pytest.raises(CarryoverError, match="needs a reason"):
        roll_back_run(run, reason=" ", **actor())
    back = Run.objects.get(pk=roll_back(str(run.pk))["run"])
    with pytest.raises(TransitionRefused, match="only apply runs"):
        roll_back_run(back, reason="a test", **actor())


def test_a_running_run_is_stopped_first() -> None:
    stage(6)
    run = runs.start_run("carry_orders", tuning={"batch_size": 2}, **actor())
    assert run is not None
    runs.work_run(run, stopping=lambda: Order.objects.count() >= 2)
    run.refresh_from_db()
    assert run.state == "running"
    back = roll_back(str(run.pk))
    assert back["outcomes"]["restored"] == 2
    assert Order.objects.count() == 0
    run.refresh_from_db()
    assert run.state == "rolled_back"


def test_the_rollback_itself_verifies() -> None:
    stage(5)
    back = roll_back(carry()["run"])
    proof = verify_run(Run.objects.get(pk=back["run"]), **actor())
    assert proof["ok"], proof
    assert LedgerEntry.objects.filter(run=back["run"], outcome="restored").count() == 5


def test_a_key_whose_former_values_were_erased_stays() -> None:
    stage(3)
    carry()
    revised = Run.objects.get(pk=carry("revise_orders")["run"])
    key = str(Order.objects.get(number="A1").pk)
    erase_personal(revised, [key], reason="asked for it", **actor())
    back = roll_back(str(revised.pk))
    assert back["outcomes"]["restored"] == 2
    (problem,) = back["problems"]
    assert (problem["key"], problem["code"]) == (key, "erased")
    assert Order.objects.get(number="A1").note == "revised A1"


def test_a_key_that_a_later_run_found_unchanged_is_carried_over_again_after_the_rollback() -> None:
    stage(2)
    first = carry()
    LegacyOrder.objects.update(content_hash=b"something that makes no difference")
    assert carry()["outcomes"]["unchanged"] == 2
    roll_back(first["run"])
    assert carry()["outcomes"]["applied"] == 2
    assert verify_definition("carry_orders", **actor())["ok"]


def test_the_other_runs_verify_after_one_of_them_was_rolled_back() -> None:
    stage(2)
    first = carry()
    stage(2)
    second = carry()
    roll_back(first["run"])
    for proof in (
        verify_run(Run.objects.get(pk=second["run"]), **actor()),
        verify_definition("carry_orders", **actor()),
    ):
        assert proof["ok"], [check for check in proof["checks"] if not check["ok"]]


@pytest.mark.parametrize("note", ["give up the number", "go away"])
def test_a_unique_value_goes_to_a_new_row_and_comes_back(note: str) -> None:
    stage(2)
    carry()
    Order.objects.filter(number="A1").update(note=note)
    LegacyOrder.objects.update(order=None)  # it may go away
    former = Order.objects.get(number="A1")
    replaced = carry("replace_orders")
    assert replaced["outcomes"]["applied"] == 1
    assert Order.objects.get(number="A1").pk != former.pk
    assert roll_back(replaced["run"])["outcomes"]["restored"] == 1
    restored = Order.objects.get(number="A1")
    assert (restored.pk, restored.note) == (former.pk, note)
    assert not Order.objects.filter(number="A1-old").exists()
