"""Lists of what the engine wrote down: to look at, and never counted to the end."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from migrations_tools import models
from migrations_tools.admin import paging
from migrations_tools.services import runs
from tests.migrations_tools.admin.conftest import staff
from tests.migrations_tools.engine.test_running import actor, stage

pytestmark = pytest.mark.django_db(transaction=True)

LISTED = (
    models.Batch,
    models.Check,
    models.DualWritten,
    models.LedgerEntry,
    models.Notice,
    models.RetentionRecord,
    models.RowChange,
    models.Transition,
    models.Waiver,
)


def address(model: type[Any], page: str = "changelist", *more: Any) -> str:
    return reverse(f"admin:migrations_tools_{model._meta.model_name}_{page}", args=more)


def carried(count: int) -> models.Run:
    stage(count)
    stage(count, day=None)
    run = runs.start_run("carry_orders", **actor())
    assert run is not None
    run = runs.work_run(run)
    models.Waiver.objects.bulk_create(
        models.Waiver(
            definition="carry_orders", step=0, key=f"{run.pk} {n}", reason="x", actor=run.actor
        )
        for n in range(count)
    )
    return run


def test_lists_are_read_only_and_ask_as_often_for_many_rows_as_for_few(
    admin_client: Client,
) -> None:
    carried(2)
    few = _asked(admin_client)
    run = carried(15)
    assert _asked(admin_client) == few
    for model in LISTED:
        found = admin.site._registry[model]
        assert not found.show_full_result_count
        assert admin_client.get(address(model, "add")).status_code == 403
    answer = admin_client.get(address(models.LedgerEntry), {"q": str(run.pk)})
    assert answer.context["cl"].result_count == run.ledger.count()
    entry = run.ledger.first()
    assert entry is not None
    assert admin_client.get(address(models.LedgerEntry, "change", entry.pk)).status_code == 200
    assert admin_client.post(address(models.LedgerEntry, "delete", entry.pk)).status_code == 403


def _asked(client: Client) -> dict[str, int]:
    asked = {}
    for model in LISTED:
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(address(model))
        assert answer.status_code == 200, model
        asked[model.__name__] = len(queries)
    return asked


def test_a_huge_table_is_counted_up_to_a_bound(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    carried(5)
    monkeypatch.setattr(paging, "MOST_LISTED", 4)
    answer = admin_client.get(address(models.RowChange))
    assert answer.context["cl"].result_count == 4
    assert models.RowChange.objects.count() > 4


def test_addresses_that_nobody_clicked_together_do_no_harm(admin_client: Client) -> None:
    carried(1)
    for model in LISTED:
        for query in (
            "q=%00",
            f"q={'9' * 40}",
            f"q={'x' * 9_000}",
            "definition=%00",
            "p=999999",
            "run__id__exact=nonsense",
            "id__exact=" + "9" * 40,
            "outcome__exact=x",
        ):
            answer = admin_client.get(f"{address(model)}?{query}", follow=True)
            assert answer.status_code in {200, 400}, (model, query)


def test_rows_are_shown_to_those_who_may_see_them() -> None:
    run = carried(1)
    client = Client()
    client.force_login(staff("half", "view_run"))
    for model in LISTED:
        assert client.get(address(model)).status_code == 403, model
    change = run.changes.first()
    assert change is not None
    assert client.get(address(models.RowChange, "change", change.pk)).status_code == 403
