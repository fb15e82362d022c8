"""Several clerks enter guarantees at once, on connections of their own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from guarantees.entry_errors import AlreadyImported
from guarantees.models import Guarantee, ImportBatch
from guarantees.services.entries import enter_guarantee, paste_guarantees
from guarantees.services.imports import import_workbook
from guarantees.services.matching import decide_supplier
from tests.guarantees.services.acting import NIGHT
from tests.guarantees.services.entering import dictionaries, entry, keeper, totals, who
from tests.guarantees.workbooks.files import HEADINGS, ROW, xlsx

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*deeds: Callable[[], Any]) -> list[Any]:
    """What each deed answers, all begun at the same time."""
    together = Barrier(len(deeds))

    def do(deed: Callable[[], Any]) -> Any:
        together.wait(timeout=10)
        try:
            return deed()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(do, deeds))


def test_there_is_one_batch_of_the_day_and_its_counters_are_right():
    dictionaries()
    actor = who()
    deeds: list[Callable[[], Any]] = [
        partial(enter_guarantee, entry(number=str(number)), **actor) for number in range(6)
    ]
    pasted = "Guarantee No: 9\nSupplier: S\nBank: B\nAmount: 5\nPO: 1"
    deeds.append(partial(paste_guarantees, pasted, **actor))
    answers = at_once(*deeds)
    assert len({answer.batch.pk for answer in answers}) == 2
    assert sorted(totals()) == [("manual", 6, 6), ("paste", 1, 0)]
    assert ImportBatch.history.filter(history_type="+").count() == 2


def test_one_of_two_imports_of_a_file_is_refused(tmp_path):
    file, actor = xlsx(tmp_path / "a.xlsx", HEADINGS, ROW), keeper()

    def run() -> str:
        try:
            import_workbook(file, acting_user=actor, surface="api", now=lambda: NIGHT)
        except AlreadyImported:
            return "refused"
        return "done"

    assert sorted(at_once(run, run, run)) == ["done", "refused", "refused"]
    assert totals() == [("excel", 1, 0)]


def test_decisions_and_entries_of_one_batch_count_right():
    supplier, _ = dictionaries()
    actor = who()
    names = ("Nuur", "Noer", "Nur")
    open_ = [enter_guarantee(entry(supplier=name), **actor).guarantees[0] for name in names]
    by: dict[str, Any] = {"acting_user": actor["acting_user"], "surface": "api"}
    deeds: list[Callable[[], Any]] = [
        partial(decide_supplier, found.pk, supplier.pk, **by) for found in open_
    ]
    deeds += [partial(enter_guarantee, entry(), **actor)] * 3
    at_once(*deeds)
    assert totals() == [("manual", 6, 6)]
    assert Guarantee.objects.filter(supplier=supplier).count() == 6
