"""What must hold of the shop after any fault."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db.models import Count, F

from tests.shop.models import DayBook, LegacyOrder, Order


def assert_carried_once(expected: int) -> None:
    """Every legacy order has exactly one order of its own; the books' totals are right."""
    links = list(LegacyOrder.objects.values_list("order_id", flat=True))
    assert len(links) == expected
    assert None not in links
    assert len(set(links)) == expected == Order.objects.count()
    assert Order.history.count() == expected
    assert_links_right()


def assert_links_right() -> None:
    """Every linked legacy order is what the transform makes of it, once; books count orders."""
    linked = LegacyOrder.objects.filter(order__isnull=False)
    found = {
        row.pk: (row.order_number, row.order_day, row.order_total)
        for row in linked.annotate(
            order_number=F("order__number"),
            order_day=F("order__day_book__day"),
            order_total=F("order__total"),
        )
    }
    assert found == {row.pk: (row.number, row.day, Decimal(row.total)) for row in linked}
    assert len(found) == Order.objects.count()
    for book in DayBook.objects.annotate(n=Count("order")):
        assert book.orders == book.n > 0


def state_of_data() -> dict[str, Any]:
    """All that the shop's migration may touch, to compare before and after."""
    return {
        "orders": list(Order.objects.order_by("number").values_list("number", "total")),
        "links": list(LegacyOrder.objects.order_by("id").values_list("id", "order_id")),
        "books": list(DayBook.objects.order_by("day").values_list("day", "orders")),
    }
