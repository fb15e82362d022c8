"""When two systems say the same."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from migrations_tools.comparisons import alike


@pytest.mark.parametrize(
    ("legacy", "new", "same"),
    [
        (None, "", True),
        ("", None, True),
        ({}, [], True),
        (None, 0, False),
        ("1,000.50", Decimal("1000.5"), True),
        ("1000.51", Decimal("1000.5"), False),
        ("many", 3, False),
        ("true", True, True),
        ("0", False, True),
        ("0", True, False),
        ("2025-05-01T10:00:00Z", datetime(2025, 5, 1, 10, tzinfo=UTC), True),
        ("2025-05-01T13:00:00", datetime(2025, 5, 1, 10, tzinfo=UTC), True),  # local: Riyadh
        ("2025-13-01T00:00:00", datetime(2025, 5, 1, 10, tzinfo=UTC), False),
        ("2025-05-01 00:00:00", date(2025, 5, 1), True),
        ({"a": [1, "2"]}, {"a": [1.0, 2], "b": None}, True),
        ([1, 2], [1], False),
        (" Al  Noor", "al noor", True),
        ("Al Noor", "Al Nour", False),
    ],
)
def test_values_are_alike_where_they_mean_the_same(legacy: Any, new: Any, same: bool) -> None:
    assert alike(legacy, new) is same
