from __future__ import annotations

from django.db import models
from django.utils import timezone

from migrations_tools.history_tracking import tracked_history
from migrations_tools.models import StagedRow


class DayBook(models.Model):
    """One per day, shared by the day's orders; ``orders`` is derived."""

    day = models.DateField(unique=True)
    title = models.TextField(default="")
    orders = models.IntegerField(default=0)

    history = tracked_history()

    def __str__(self) -> str:
        return str(self.day)


class Customer(models.Model):
    email = models.EmailField(unique=True)

    history = tracked_history()

    def __str__(self) -> str:
        return self.email


class Order(models.Model):
    number = models.CharField(max_length=20, unique=True)
    day_book = models.ForeignKey(DayBook, models.PROTECT)
    total = models.DecimalField(max_digits=10, decimal_places=2)
    note = models.TextField(default="", blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    history = tracked_history()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(total__gte=0), name="total_not_negative")
        ]

    def __str__(self) -> str:
        return self.number


class OrderLine(models.Model):
    order = models.ForeignKey(Order, models.PROTECT, related_name="lines")
    text = models.TextField()

    def __str__(self) -> str:
        return self.text


class OrderComment(models.Model):
    """Written by people; it goes with its order, unless somebody keeps it."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="comments")
    text = models.TextField()

    def __str__(self) -> str:
        return self.text


class CommentAnswer(models.Model):
    comment = models.ForeignKey(OrderComment, models.CASCADE, related_name="answers")
    text = models.TextField()

    def __str__(self) -> str:
        return self.text


class KeptComment(models.Model):
    comment = models.ForeignKey(OrderComment, models.PROTECT)

    def __str__(self) -> str:
        return f"kept: {self.comment_id}"


class LegacyOrder(StagedRow):
    number = models.TextField(default="")
    day = models.DateField(null=True)
    total = models.TextField(default="0")
    line = models.TextField(default="")
    kind = models.TextField(default="order")
    order = models.ForeignKey(Order, models.PROTECT, null=True)

    def __str__(self) -> str:
        return str(self.number)


class LegacyNote(StagedRow):
    """Notes of one customer, on any number of rows."""

    customer = models.TextField(db_collation="C", db_index=True)
    text = models.TextField()

    def __str__(self) -> str:
        return self.text
