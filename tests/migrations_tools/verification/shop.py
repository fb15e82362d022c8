"""Runs on the test shop, and ways to damage what they wrote."""

from __future__ import annotations

import datetime
from typing import Any

from django.db import connection, transaction

from migrations_tools.models import Run
from migrations_tools.services import runs
from migrations_tools.services.actors import system_user
from migrations_tools.services.rollback import roll_back_run
from migrations_tools.services.verification import verify_run
from tests.shop.models import LegacyOrder

DAY = datetime.date(2025, 5, 1)


def actor() -> dict[str, Any]:
    return {"acting_user": system_user(), "surface": "command"}


def stage(count: int, **values: Any) -> list[LegacyOrder]:
    """Legacy orders, three to a day."""
    start = LegacyOrder.objects.count()
    return LegacyOrder.objects.bulk_create(
        LegacyOrder(
            **{
                "number": f"A{start + n}",
                "day": DAY + datetime.timedelta(days=n // 3),
                "total": "10.50",
                **values,
            }
        )
        for n in range(count)
    )


def carry(name: str = "carry_orders", **arguments: Any) -> Run:
    """A run carried to its end."""
    run = runs.start_run(name, **actor(), **arguments)
    assert run is not None
    return runs.work_run(run)


def roll_back(run: Run, *, force: bool = False) -> Run:
    rollback = roll_back_run(run, **actor(), reason="test", force=force)
    assert rollback is not None
    return runs.work_run(rollback)


def verified(run: Run) -> dict[str, Any]:
    return verify_run(run, **actor())


def failed(answer: dict[str, Any]) -> dict[str, list[str]]:
    """Codes of failed checks with the keys they name."""
    return {
        check["code"]: [named["key"] for named in check["sample"]]
        for check in answer["checks"]
        if not check["ok"]
    }


def edited_since(answer: dict[str, Any]) -> dict[str, int]:
    """Rows explained by newer history, by check."""
    return {
        check["code"]: check["edited_since"] for check in answer["checks"] if check["edited_since"]
    }


def execute(sql: str, *parameters: Any) -> int:
    """Raw SQL behind the application's back; the number of rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters or None)
        return int(cursor.rowcount)


def tamper(table: str, sql: str, *parameters: Any) -> int:
    """Raw SQL of somebody who may switch the triggers of ``table`` off."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal",
            [table],
        )
        triggers = [name for (name,) in cursor.fetchall()]
        for name in triggers:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {name}")
        cursor.execute(sql, parameters or None)
        changed = int(cursor.rowcount)
        for name in triggers:
            cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")
    return changed
