"""Definitions the engine's tests run: rows with shared objects and totals; groups; updates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, cast

from django.db.models import BinaryField, Count, Func, TextField, Value
from django.db.models.functions import Cast

from migrations_tools.definitions import (
    Apply,
    Conflict,
    DataMigration,
    Decision,
    Delete,
    Ensure,
    Group,
    GroupSource,
    Insert,
    Outcome,
    Reject,
    Review,
    RowSource,
    Skip,
    SQLCheck,
    Step,
    TouchedSource,
    Unchanged,
    Update,
    Warning_,
    build,
    option,
    register,
)
from migrations_tools.models import ReviewItem
from migrations_tools.states import ReviewDecision
from tests.shop.models import Customer, DayBook, LegacyNote, LegacyOrder, Order, OrderLine


@dataclass(frozen=True)
class OrderOptions:
    prefix: str = option("", "Put before every number.")
    strict: bool = option(False, "Reject totals of zero.")


@dataclass(frozen=True)
class OrderChoice:
    number: str = option("", "Another number for the order.")


#: Answers that no transform may give, by the row's kind.
BAD_ANSWERS: dict[str, Any] = {
    "nonsense": "applied",
    "no_change": Apply(cast(Any, [Order(number="not wrapped in Insert")])),
    "nul": Skip("draft_order", "cut \x00 here \ud800"),
    "long_code": Skip("c" * 61),
    "not_json": Review({"day": date(2025, 5, 1)}),
}


class OrderStep(Step):
    source = RowSource(LegacyOrder)
    writes = [DayBook, Order, OrderLine, LegacyOrder]
    shares = {DayBook: [("day",)]}
    choices = OrderChoice

    def transform(self, row: Any, context: Any) -> Outcome:
        if row.order_id is not None:
            return Unchanged()
        if row.kind == "draft":
            return Skip("draft_order", "Drafts stay behind.")
        if row.kind == "unsure":
            return Review({"number": row.number}, confidence=0.4, evidence={"total": row.total})
        if row.kind == "taken":
            return Conflict("taken", "Somebody else has it.")
        if row.kind == "broken":
            raise KeyError("a mistake in the transform")
        if row.kind in BAD_ANSWERS:
            return cast(Outcome, BAD_ANSWERS[row.kind])
        if row.day is None:
            raise Reject("no_day", f"Order {row.number} has no day.")
        warnings: list[str | Warning_] = []
        try:
            total = Decimal(row.total)
        except InvalidOperation:
            total = Decimal(0)
            warnings.append(Warning_("bad_total", f"“{row.total}” is no number."))
        if self.options.strict and total == 0:
            raise Reject("zero_total")
        book = Ensure(DayBook, {"title": "carried over"}, day=row.day)
        order = build(
            Order,
            number=f"{self.options.prefix}{row.number}",
            day_book=book,
            total=total,
            created_at=row.staged_at,
        )
        changes: list[Any] = [book, Insert(order), Update(row, order=order)]
        if row.line:
            changes.append(Insert(build(OrderLine, order=order, text=row.line)))
        return Apply(changes, warnings)

    def decided(self, row: Any, context: Any, decision: Decision) -> Outcome:
        if decision.kind == ReviewDecision.PARKED:
            return Skip("parked_order", "Looked at by a person.")
        number = decision.choice.get("number") or decision.proposal["number"]
        if number == "unsure":
            return Review({"number": row.number}, evidence={"again": True})
        return self.transform(row._replace(kind="order", number=number), context)

    @classmethod
    def check_choice(cls, choice: OrderChoice, items: Sequence[ReviewItem]) -> None:
        if Order.objects.filter(number=choice.number).exists():
            raise Reject("number_taken", f"There is an order {choice.number} already.")


class BookTotalsStep(Step):
    source = TouchedSource(DayBook)
    writes = [DayBook]
    derived = {DayBook: ["orders"]}
    counted = False
    recomputed = True

    def load(self, rows: Any) -> dict[int, int]:
        counted = Order.objects.filter(day_book__in=[row.pk for row in rows])
        return dict(counted.values_list("day_book").annotate(n=Count("id")))

    def transform(self, row: Any, context: dict[int, int]) -> Outcome:
        number = context.get(row.pk, 0)
        return Unchanged() if number == row.orders else Apply([Update(row, orders=number)])


@register
class CarryOrders(DataMigration):
    """Legacy orders become orders in day books."""

    options = OrderOptions
    steps = [OrderStep, BookTotalsStep]
    checks = [
        SQLCheck(
            "order_missing",
            "Every linked legacy order has its order",
            examined="SELECT count(*) FROM shop_legacyorder WHERE order_id IS NOT NULL",
            failures="SELECT l.id, 'order ' || l.order_id FROM shop_legacyorder l "
            "LEFT JOIN shop_order o ON o.id = l.order_id "
            "WHERE l.order_id IS NOT NULL AND o.id IS NULL",
        ),
        SQLCheck(
            "number_differs",
            "The number is the same on both sides",
            examined="SELECT count(*) FROM shop_legacyorder WHERE order_id IS NOT NULL",
            failures="SELECT l.id, o.number FROM shop_legacyorder l "
            "JOIN shop_order o ON o.id = l.order_id WHERE o.number NOT LIKE '%%' || l.number",
        ),
    ]


@register
class GatherNotes(DataMigration):
    """All notes of one customer become one customer."""

    source = GroupSource(LegacyNote, by="customer")
    writes = [Customer]

    def load(self, groups: Any) -> set[str]:
        wanted = [f"{group.key}@example.com" for group in groups]
        return set(Customer.objects.filter(email__in=wanted).values_list("email", flat=True))

    def transform(self, group: Group, known: set[str]) -> Outcome:
        email = f"{group.key}@example.com"
        if email in known:
            return Unchanged()
        words = Counter(row.text for row in group.rows)
        return Apply([Insert(Customer(email=email))], ["repeated"] if len(words) > 1 else [])


class ReviseStep(Step):
    source = RowSource(Order.objects.filter(note=""))
    writes = [Order]

    def transform(self, row: Any, context: Any) -> Outcome:
        return Apply([Update(row, note=f"revised {row.number}")])


@register
class ReviseOrders(DataMigration):
    """Orders without a note get one: an update in place, chosen by the queryset alone."""

    steps = [ReviseStep]


class NameBookStep(Step):
    """Orders that have a note already were looked at; ``load`` fetches what is written."""

    source = RowSource(Order.objects.filter(note=""))
    writes = [Order, DayBook]

    def load(self, rows: Any) -> dict[int, DayBook]:
        return DayBook.objects.in_bulk({row.day_book_id for row in rows})

    def transform(self, row: Any, books: dict[int, DayBook]) -> Outcome:
        if row.total == 0:
            raise Reject("no_total", f"Order {row.number} has no total.")
        book = books[row.day_book_id]
        title = f"{book.title} with {row.number}".strip()
        return Apply([Update(book, title=title), Update(row, note="named in its book")])


@register
class NameBooks(DataMigration):
    """Day books name their orders: updates of rows that ``load`` fetched."""

    steps = [NameBookStep]


@dataclass(frozen=True)
class ProjectChoice:
    project: str = option("", "The project to file under.")


@register
class FileOrders(DataMigration):
    """Orders without a note are filed under a project, each as a person says."""

    source = RowSource(
        Order.objects.filter(note="").annotate(
            evidence=Func(
                Cast("total", TextField()),
                Value("UTF8"),
                function="convert_to",
                output_field=BinaryField(),
            )
        ),
        digest="evidence",
        remembers=False,
    )
    writes = [Order]
    choices = ProjectChoice

    def transform(self, row: Any, context: Any) -> Outcome:
        if row.total < 1:
            return Apply([Update(row, note="trifles")])
        total = str(row.total)
        return Review({"project": f"about {total}"}, confidence=0.5, evidence={"total": total})

    def decided(self, row: Any, context: Any, decision: Decision) -> Outcome:
        if decision.kind == ReviewDecision.PARKED:
            return Apply([Update(row, note="parked")])
        project = decision.choice.get("project") or decision.proposal["project"]
        if project == "closed":
            raise Reject("project_closed", "Nothing is filed under a closed project.")
        return Apply([Update(row, note=project)])

    @classmethod
    def check_choice(cls, choice: ProjectChoice, items: Sequence[ReviewItem]) -> None:
        if choice.project == "nowhere":
            raise Reject("PROJECT_NOT_FOUND", "There is no project “nowhere”.")


class ReplaceStep(Step):
    source = RowSource(Order.objects.filter(note__in=["give up the number", "go away"]))
    writes = [Order]

    def transform(self, row: Any, context: Any) -> Outcome:
        successor = build(
            Order,
            number=row.number,
            day_book_id=row.day_book_id,
            total=row.total,
            created_at=row.created_at,
        )
        if row.note == "go away":
            return Apply([Insert(successor), Delete(row)])
        return Apply([Insert(successor), Update(row, number=f"{row.number}-old", note="old")])


@register
class ReplaceOrders(DataMigration):
    """Orders hand their unique number over to a new one."""

    steps = [ReplaceStep]
