"""Rejected rows of workbooks, as tables to be mended and sent again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.db.models import QuerySet

from guarantees.intake import TITLES
from guarantees.models import RejectedRow
from guarantees.workbooks.headings import Column

#: Beside the columns of guarantees. No heading of one: the table can be sent as it is.
ROW, REASONS = "Excel row", "Reasons"


def rejected_headings() -> list[str]:
    """Headings of the table: all columns, by names that are recognised again."""
    return [ROW, *(TITLES[column] for column in Column), REASONS]


def rejected_table(rows: QuerySet[RejectedRow]) -> Iterator[Sequence[object]]:
    """The rows under `rejected_headings`: cells as they were written, then what is wrong."""
    for row in rows.order_by("id").iterator():
        reasons = " ".join(problem["message"] for problem in row.problems)
        yield [row.row, *(row.cells.get(column.value, "") for column in Column), reasons]
