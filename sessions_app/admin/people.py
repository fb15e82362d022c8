"""What the product knows of people beside their accounts."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from migrations_tools.admin.asking import AskingAdmin
from migrations_tools.admin.base import HistoryAdmin, ReadOnly
from migrations_tools.admin.exporting import ExportMixin
from migrations_tools.admin.filters import ValuesFilter
from migrations_tools.states import Surface
from sessions_app.admin.forms import ProfileForm
from sessions_app.admin.operations import Deed, Operation, OperationForm, WithOperations
from sessions_app.models import CreditTransaction, LegacyIdentity, Profile
from sessions_app.selectors.lessons import viewer_of
from sessions_app.services.lessons import adjust_credits
from sessions_app.services.lessons.credits import LARGEST_ADJUSTMENT
from sessions_app.services.registers import remove_row

MOST_TRANSACTIONS: Final = 20  # of a person that the page shows


class CreditsForm(OperationForm):
    """The balance that the page showed goes with it: sent twice, it counts once."""

    amount = forms.IntegerField(
        label=gettext_lazy("Credits"),
        min_value=-LARGEST_ADJUSTMENT,
        max_value=LARGEST_ADJUSTMENT,
        help_text=gettext_lazy("A negative number takes credits."),
    )
    note = forms.CharField(label=gettext_lazy("Reason"), max_length=500)
    seen_balance = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["seen_balance"] = self.obj.credit_balance


def _adjust(deed: Deed) -> str:
    given = dict(deed.values)
    made = adjust_credits(
        deed.obj.user,
        given.pop("amount"),
        **given,
        acting_user=deed.user,
        surface=Surface.ADMIN,
    )
    return _("%(balance)s credits are there now.") % {"balance": made.balance_after}


@admin.register(Profile)
class ProfileAdmin(AskingAdmin, WithOperations, ExportMixin, HistoryAdmin):
    """Of a person: what they are here, and their credits. Addresses are found, not listed."""

    form = ProfileForm
    change_form_template = "sessions_app/admin/profile.html"
    operations = (
        Operation(
            name="credits",
            label=gettext_lazy("Give or take credits"),
            form=CreditsForm,
            offered=lambda deed: viewer_of(deed.user).is_admin,
            sentence=lambda deed: (
                _("%(balance)s credits are there now. Each change is kept.")
                % {"balance": deed.obj.credit_balance}
            ),
            carry_out=_adjust,
        ),
    )
    list_display = ["user", "role", "specialization", "credit_balance", "current_project"]
    list_filter = ["role"]
    list_select_related = ["user", "current_project"]
    search_fields = ["user__username", "user__email", "specialization"]

    def get_readonly_fields(self, request: HttpRequest, obj: Profile | None = None) -> list[str]:
        """Credits are moved by bookings and `adjust_credits` only."""
        return ["credit_balance"] if obj is None else ["user", "credit_balance"]

    def remove(self, obj: Profile, **by: Any) -> None:
        remove_row(Profile, obj.pk, **by)

    def sections(self, request: HttpRequest, obj: Profile) -> dict[str, Any]:
        if not request.user.has_perm("sessions_app.view_credittransaction"):
            return {}
        told = CreditTransaction.objects.filter(user=obj.user_id)
        return {"transactions": list(told[:MOST_TRANSACTIONS])}


@admin.register(LegacyIdentity)
class LegacyIdentityAdmin(ExportMixin, ReadOnly):
    list_display = ["kind", "legacy_id", "user"]
    list_filter = [("kind", ValuesFilter)]
    list_select_related = ["user"]
    search_fields = ["=legacy_id", "user__username", "user__email"]
