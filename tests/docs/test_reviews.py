"""docs/reviews.md: each task is done as it says, on orders of the shop that wait for a person."""

from __future__ import annotations

import inspect
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command

from migrations_tools.exceptions import ActiveRun
from migrations_tools.management.datamigrate.reviewing import DECISIONS
from migrations_tools.models import ReviewItem
from migrations_tools.services import reviews
from tests.docs.console import blocks, document, headings, run_all, section, table
from tests.migrations_tools.services.test_reviews import apply, carry, decide, orders
from tests.shop.models import Order

TEXT = document("docs/reviews.md")


def waiting() -> None:
    orders("1.50", "2.50", "3.50", "4.50")
    carry("file_orders")


def decided_wrongly() -> None:
    orders("1.50")
    apply(carry("file_orders"), "accepted")


def begun() -> None:
    waiting()
    run = carry("file_orders")
    item = ReviewItem.objects.filter(run=run).earliest("id")
    decide(run, "accepted", item.key)


def changed_meanwhile() -> None:
    waiting()
    Order.objects.update(total="9.00")


PREPARATIONS: dict[str, Callable[[], Any]] = {
    "See what waits": waiting,
    "Decide": waiting,
    "Decide all at once": waiting,
    "A decision was wrong": decided_wrongly,
    "A decision was interrupted": begun,
    "A decision could not be carried out": changed_meanwhile,
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("practice")
@pytest.mark.parametrize("heading", PREPARATIONS)
def test_a_task_is_done_as_it_says(heading: str) -> None:
    PREPARATIONS[heading]()
    run_all(section(TEXT, heading))


def test_every_task_is_tried() -> None:
    assert headings(TEXT) == list(PREPARATIONS)


@pytest.mark.django_db(transaction=True)
def test_the_table_has_the_columns_of_the_program() -> None:
    waiting()
    out = io.StringIO()
    call_command("datamigrate", "review", "last", "list", stdout=out)
    (shown,) = blocks(TEXT, "text")
    assert out.getvalue().splitlines()[0].split() == shown.splitlines()[0].split()


def test_decisions_are_those_of_the_program() -> None:
    assert [row[0].strip("`") for row in table(section(TEXT, "Decide"))] == list(DECISIONS)


def test_codes_are_those_of_the_program() -> None:
    source = inspect.getsource(reviews)
    told = {row[0].strip("`") for row in table(section(TEXT, "A decision is refused"))}
    assert {code for code in told if f'code="{code}"' not in source} == {ActiveRun.code}
