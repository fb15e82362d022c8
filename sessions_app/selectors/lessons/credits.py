"""What people have of credits, and how it came (lessons.md "Booking")."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from sessions_app.lesson_errors import NotFound
from sessions_app.models import CreditTransaction, Profile
from sessions_app.selectors.lessons.viewers import viewer_of


def find_account(user: User, account_id: int) -> User:
    """Whose credits ``user`` may see: their own, for admins anybody's. Raises NotFound."""
    if account_id == user.pk:
        return user
    found = None
    if viewer_of(user).is_admin:
        found = User.objects.filter(pk=account_id).first()
    if found is None:
        raise NotFound(_("There is no such student."), student=account_id)
    return found


def balance_of(student: User) -> int:
    """Credits; none without a profile."""
    found = Profile.objects.filter(user=student).values_list("credit_balance", flat=True).first()
    return found or 0


def transactions_of(student: User) -> QuerySet[CreditTransaction]:
    """Every change, the newest first."""
    return CreditTransaction.objects.filter(user=student).order_by("-created_at", "-id")
