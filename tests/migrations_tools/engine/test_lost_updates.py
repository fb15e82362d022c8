"""What the application writes between ``load`` and the write is not overwritten."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from migrations_tools.definitions import Apply, Update, build
from migrations_tools.models import Run
from migrations_tools.selectors.summary import summarise
from migrations_tools.services import runs
from migrations_tools.services.verification import verify_run
from tests.migrations_tools.engine.test_running import DAY, actor
from tests.shop.data_migrations import NameBookStep
from tests.shop.models import DayBook, Order

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def books() -> list[DayBook]:
    """Three books; the first has two orders, the others one each."""
    found = [
        DayBook.objects.create(day=DAY + datetime.timedelta(days=day), title=f"day {day}")
        for day in range(3)
    ]
    for place, book in enumerate([found[0], *found]):
        Order.objects.create(number=f"A{place}", day_book=book, total=1)
    return found


def carry_while(
    monkeypatch: pytest.MonkeyPatch, deed: Callable[[], Any], **tuning: Any
) -> dict[str, Any]:
    """``name_books``, with ``deed`` done by somebody else right after its first ``load``."""
    run = runs.start_run("name_books", tuning=tuning, **actor())
    assert run is not None
    load = NameBookStep.load
    done: list[bool] = []

    def load_and_let_others_write(step: NameBookStep, rows: Any) -> dict[int, DayBook]:
        loaded = load(step, rows)
        if not done:
            done.append(True)
            deed()
        return loaded

    monkeypatch.setattr(NameBookStep, "load", load_and_let_others_write)
    return summarise(runs.work_run(run))


def elsewhere(deed: Callable[[], Any]) -> None:
    """Do it on a connection of its own, committed when this returns."""

    def work() -> None:
        try:
            deed()
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_what_was_changed_after_load_stays_and_its_keys_are_conflicts(
    monkeypatch: pytest.MonkeyPatch, books: list[DayBook]
) -> None:
    mine = DayBook.objects.filter(pk=books[0].pk)
    summary = carry_while(monkeypatch, lambda: elsewhere(lambda: mine.update(title="mine")))
    assert (summary["outcomes"]["applied"], summary["outcomes"]["conflict"]) == (2, 2)
    assert summary["codes"] == {"changed_meanwhile": 2}
    assert f"shop.daybook {books[0].pk}" in summary["problems"][0]["detail"]
    titles = list(DayBook.objects.order_by("day").values_list("title", flat=True))
    assert titles == ["mine", "day 1 with A2", "day 2 with A3"]
    assert Order.objects.filter(note="").count() == 2
    proof = verify_run(Run.objects.get(pk=summary["run"]), **actor())
    assert proof["ok"], [check for check in proof["checks"] if not check["ok"]]


def test_a_change_that_is_committed_while_the_write_waits_for_it_stays_too(
    monkeypatch: pytest.MonkeyPatch, books: list[DayBook]
) -> None:
    held, release = threading.Event(), threading.Event()

    def change() -> None:
        with transaction.atomic():
            DayBook.objects.filter(pk=books[1].pk).update(title="mine")
            held.set()
            release.wait(10)
        connection.close()

    person = threading.Thread(target=change)

    def begin() -> None:
        person.start()
        held.wait(10)
        threading.Timer(0.5, release.set).start()

    summary = carry_while(monkeypatch, begin)
    person.join()
    assert summary["codes"] == {"changed_meanwhile": 1}
    assert summary["outcomes"]["applied"] == 3
    assert DayBook.objects.get(pk=books[1].pk).title == "mine"


def test_other_columns_and_the_very_value_to_be_written_are_no_conflict(
    monkeypatch: pytest.MonkeyPatch, books: list[DayBook]
) -> None:
    def change() -> None:
        DayBook.objects.filter(pk=books[1].pk).update(orders=7)
        DayBook.objects.filter(pk=books[2].pk).update(title="day 2 with A3")

    summary = carry_while(monkeypatch, lambda: elsewhere(change))
    assert summary["outcomes"]["applied"] == 4
    assert DayBook.objects.get(pk=books[1].pk).orders == 7


def test_two_keys_that_change_one_row_are_no_conflict_of_each_other(books: list[DayBook]) -> None:
    run = runs.start_run("name_books", **actor())
    assert run is not None
    assert summarise(runs.work_run(run))["outcomes"]["applied"] == 4
    assert DayBook.objects.get(pk=books[0].pk).title == "day 0 with A1"


def test_one_row_changed_by_a_batch_after_another_is_read_anew(books: list[DayBook]) -> None:
    run = runs.start_run("name_books", tuning={"batch_size": 1}, **actor())
    assert run is not None
    assert summarise(runs.work_run(run))["outcomes"]["applied"] == 4
    assert DayBook.objects.get(pk=books[0].pk).title == "day 0 with A0 with A1"


def test_a_deferred_column_is_not_compared(
    monkeypatch: pytest.MonkeyPatch, books: list[DayBook]
) -> None:
    def load(step: NameBookStep, rows: Any) -> dict[int, DayBook]:
        found = DayBook.objects.only("day").in_bulk({row.day_book_id for row in rows})
        DayBook.objects.filter(pk=books[1].pk).update(title="mine")
        return found

    def transform(step: NameBookStep, row: Any, found: dict[int, DayBook]) -> Apply:
        book = found[row.day_book_id]
        return Apply([Update(book, title=f"of {row.number}"), Update(row, note="done")])

    monkeypatch.setattr(NameBookStep, "load", load)
    monkeypatch.setattr(NameBookStep, "transform", transform)
    run = runs.start_run("name_books", **actor())
    assert run is not None
    assert summarise(runs.work_run(run))["outcomes"]["applied"] == 4
    assert DayBook.objects.get(pk=books[1].pk).title == "of A2"


def test_an_update_knows_what_was_read_of_the_columns_it_sets(books: list[DayBook]) -> None:
    book = DayBook.objects.get(pk=books[0].pk)
    assert Update(book, title="new").seen == {"title": "day 0"}
    assert Update(DayBook.objects.only("day").get(pk=book.pk), title="new").seen == {}
    order = Order.objects.get(number="A0")
    assert Update(order, day_book=books[1], note="x").seen == {"day_book": book.pk, "note": ""}
    assert Update(build(Order, number="new"), note="x").seen == {}
