"""Whether the rows stand as the run wrote them – and what explains that they do not."""

from __future__ import annotations

import pytest
from django.db import connection

from migrations_tools.models import Check, Transition
from migrations_tools.services.verification import verify_definition
from tests.migrations_tools.verification.shop import (
    actor,
    carry,
    edited_since,
    execute,
    failed,
    roll_back,
    stage,
    verified,
)
from tests.shop.models import DayBook, LegacyOrder, Order, OrderLine

pytestmark = pytest.mark.django_db(transaction=True)


def order_of(number: str) -> Order:
    return Order.objects.get(number=number)


def test_a_run_as_it_was_written_is_verified_and_recorded() -> None:
    stage(9, line="one line")
    run = carry()
    answer = verified(run)
    assert answer["ok"], failed(answer)
    assert answer["run"] == str(run.pk)
    examined = {check["code"]: check["examined"] for check in answer["checks"]}
    assert examined["row_missing"] == examined["row_differs"] == 3 + 9 + 9 + 9 + 3
    assert examined["journal_damaged"] == 9 * 4 + 3 * 3 + 3
    run.refresh_from_db()
    assert run.verification_state == "passed"
    assert run.verified_at is not None
    last = Transition.objects.filter(run=run).latest("id")
    assert (last.action, last.details["ok"]) == ("verify", True)
    stored = Check.objects.filter(verification=answer["verification"])
    assert set(stored.values_list("code", flat=True)) == set(examined)
    assert set(stored.filter(run=None).values_list("code", flat=True)) == {
        "nothing_examined",
        "dangling_reference",
        "order_missing",
        "number_differs",
    }


def test_a_row_changed_by_raw_sql_differs_and_its_column_is_named() -> None:
    stage(4)
    run = carry()
    changed = order_of("A2")
    execute("UPDATE shop_order SET total = 99 WHERE id = %s", changed.pk)
    answer = verified(run)
    assert failed(answer) == {"row_differs": [f"shop.order {changed.pk}"]}
    (check,) = (check for check in answer["checks"] if not check["ok"])
    legacy = LegacyOrder.objects.get(number="A2")
    assert check["sample"][0]["detail"] == f"The row differs in total. (source key {legacy.pk})"
    run.refresh_from_db()
    assert run.verification_state == "failed"


def test_a_row_deleted_by_raw_sql_is_missing() -> None:
    stage(4, line="one line")
    run = carry()
    line = OrderLine.objects.get(order__number="A1")
    execute("DELETE FROM shop_orderline WHERE id = %s", line.pk)
    assert failed(verified(run)) == {"row_missing": [f"shop.orderline {line.pk}"]}


def test_a_link_broken_by_raw_sql_differs() -> None:
    legacy = stage(4)[1]
    run = carry()
    execute("UPDATE shop_legacyorder SET order_id = NULL WHERE id = %s", legacy.pk)
    assert failed(verified(run)) == {"row_differs": [f"shop.legacyorder {legacy.pk}"]}


def test_a_staged_row_deleted_by_raw_sql_is_missing() -> None:
    legacy = stage(4)[1]
    run = carry()
    execute("DELETE FROM shop_legacyorder WHERE id = %s", legacy.pk)
    assert failed(verified(run)) == {"row_missing": [f"shop.legacyorder {legacy.pk}"]}


def test_edits_through_the_application_are_counted_apart() -> None:
    stage(4)
    run = carry()
    edited = order_of("A1")
    edited.note = "by hand"
    edited.save()
    removed = order_of("A2")
    LegacyOrder.objects.filter(order=removed).update(order=None)
    execute("UPDATE shop_legacyorder SET order_id = %s WHERE number = 'A2'", edited.pk)
    removed.delete()
    answer = verified(run)
    assert edited_since(answer) == {"row_differs": 1, "row_missing": 1}
    link = LegacyOrder.objects.get(number="A2")
    assert failed(answer)["row_differs"] == [f"shop.legacyorder {link.pk}"]
    assert "row_missing" not in failed(answer)


def test_an_edit_through_the_application_does_not_hide_raw_sql_after_it() -> None:
    stage(2)
    run = carry()
    edited = order_of("A1")
    edited.note = "by hand"
    edited.save()
    execute("UPDATE shop_order SET total = 1 WHERE id = %s", edited.pk)
    answer = verified(run)
    assert failed(answer) == {"row_differs": [f"shop.order {edited.pk}"]}
    assert edited_since(answer) == {}


def test_raw_sql_before_an_older_history_row_is_not_explained_by_it() -> None:
    """History from before the run, even if it fits the row again, is no explanation."""
    book = DayBook.objects.create(day="2025-01-01", title="old")
    stage(1, number="B1")
    carry()
    order = order_of("B1")
    run = carry("revise_orders")
    execute("UPDATE shop_order SET note = '' WHERE id = %s", order.pk)
    assert failed(verified(run)) == {"row_differs": [f"shop.order {order.pk}"]}
    assert book.history.count() == 1


def test_what_another_run_wrote_later_is_no_damage() -> None:
    stage(3)
    first = carry()
    second = carry("revise_orders")
    for run in (first, second):
        answer = verified(run)
        assert answer["ok"], failed(answer)
    execute("UPDATE shop_order SET total = 1 WHERE number = 'A0'")
    assert failed(verified(first)) == {"row_differs": [f"shop.order {order_of('A0').pk}"]}
    assert verified(second)["ok"]  # it wrote the note only


def test_derived_columns_are_never_compared() -> None:
    stage(4)
    run = carry()
    execute("UPDATE shop_daybook SET orders = 77")
    assert verified(run)["ok"]
    execute("UPDATE shop_daybook SET title = 'other' WHERE day = '2025-05-01'")
    book = DayBook.objects.get(day="2025-05-01")
    assert failed(verified(run)) == {"row_differs": [f"shop.daybook {book.pk}"]}


def test_all_wrong_rows_are_counted_and_only_some_named() -> None:
    stage(60)
    run = carry(tuning={"batch_size": 7})
    execute("UPDATE shop_order SET total = 1 WHERE number <> 'A0'")
    (check,) = (check for check in verified(run)["checks"] if not check["ok"])
    assert (check["code"], check["failures"], len(check["sample"])) == ("row_differs", 59, 20)


def test_a_reference_to_nothing_is_found_although_its_constraint_was_dropped() -> None:
    stage(2)
    run = carry()
    order = order_of("A1")
    execute("UPDATE shop_legacyorder SET order_id = NULL WHERE number = 'A1'")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname FROM pg_constraint WHERE conrelid = 'shop_order'::regclass "
            "AND contype = 'f'"
        )
        (name,) = cursor.fetchone()
        cursor.execute(
            f"SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = '{name}'"
        )
        (definition,) = cursor.fetchone()
        cursor.execute(f'ALTER TABLE shop_order DROP CONSTRAINT "{name}"')
    try:
        execute("UPDATE shop_order SET day_book_id = 424242 WHERE id = %s", order.pk)
        found = failed(verified(run))
        assert found["dangling_reference"] == [f"shop.order {order.pk}"]
        execute("DELETE FROM shop_order WHERE id = %s", order.pk)
    finally:
        execute(f'ALTER TABLE shop_order ADD CONSTRAINT "{name}" {definition}')


def test_a_rolled_back_run_is_verified_row_by_row() -> None:
    stage(5, line="one line")
    run = carry()
    rollback = roll_back(run)
    answer = verified(rollback)
    assert answer["ok"], failed(answer)
    examined = {check["code"]: check["examined"] for check in answer["checks"]}
    assert examined["row_not_removed"] == 10
    assert examined["row_not_restored"] == 5
    assert examined["row_not_deleted"] == 12
    assert examined["key_without_outcome"] == 5 + 2  # orders, and day books counted anew
    link = LegacyOrder.objects.get(number="A3")
    assert link.day is not None
    book = DayBook.objects.create(day=link.day)
    order = Order.objects.create(number="new", day_book=book, total=1)
    execute("UPDATE shop_legacyorder SET order_id = %s WHERE number = 'A3'", order.pk)
    assert failed(verified(rollback)) == {
        "row_differs": [f"shop.legacyorder {link.pk}"],
        "row_not_restored": [f"shop.legacyorder {link.pk}"],
    }


def test_a_row_that_came_back_after_the_rollback_by_raw_sql_is_found() -> None:
    stage(2, line="one line")
    run = carry()
    pk = OrderLine.objects.order_by("pk").values_list("pk", flat=True)[0]
    book = DayBook.objects.create(day="2024-01-01")
    rollback = roll_back(run)
    order = Order.objects.create(number="other", day_book=book, total=1)
    execute("INSERT INTO shop_orderline (id, order_id, text) VALUES (%s, %s, 'x')", pk, order.pk)
    assert failed(verified(rollback)) == {
        "row_not_deleted": [f"shop.orderline {pk}"],
        "row_not_removed": [f"shop.orderline {pk}"],
    }


def test_a_partly_rolled_back_run_answers_for_what_it_left() -> None:
    stage(4)
    run = carry()
    kept = order_of("A1")
    kept.note = "by hand"
    kept.save()
    rollback = roll_back(run)
    run.refresh_from_db()
    assert run.state == "partially_rolled_back"
    for subject in (run, rollback):
        answer = verified(subject)
        assert answer["ok"], failed(answer)
    assert edited_since(verified(run)) == {"row_differs": 1}
    execute("UPDATE shop_legacyorder SET order_id = NULL WHERE number = 'A1'")
    link = LegacyOrder.objects.get(number="A1")
    for answer in (verified(run), verify_definition("carry_orders", **actor())):
        assert failed(answer)["row_differs"] == [f"shop.legacyorder {link.pk}"]


def test_rows_carried_over_again_after_a_rollback_do_not_spoil_its_verification() -> None:
    stage(3)
    rollback = roll_back(carry())
    again = carry()
    for subject in (rollback, again):
        answer = verified(subject)
        assert answer["ok"], failed(answer)


def test_a_column_that_is_gone_is_told_instead_of_compared() -> None:
    stage(2)
    run = carry()
    execute("ALTER TABLE shop_order RENAME COLUMN note TO remark")
    try:
        assert failed(verified(run)) == {"schema_drift": ["shop.order.note"]}
    finally:
        execute("ALTER TABLE shop_order RENAME COLUMN remark TO note")


def test_a_longer_text_column_is_no_drift() -> None:
    stage(2)
    run = carry()
    execute("ALTER TABLE shop_order ALTER COLUMN number TYPE varchar(50)")
    try:
        assert verified(run)["ok"]
    finally:
        execute("ALTER TABLE shop_order ALTER COLUMN number TYPE varchar(20)")
