"""What the page of a guarantee shows above its form: what it is now, and how it came to be."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from guarantees.admin.pages import address, day, money, told_differences
from guarantees.letters import has_letter
from guarantees.models import ActionType, Guarantee, GuaranteeAction, GuaranteeStatus, MatchStatus
from guarantees.selectors.history import history_of_number
from guarantees.services.actions.terms import obstacle

#: Events of a number that a page shows; the newest ones.
MOST_EVENTS: Final = 100

_DEEDS: Final = {
    ActionType.EXTENSION: gettext_lazy("Extend"),
    ActionType.RELEASE: gettext_lazy("Release"),
    ActionType.REDUCTION: gettext_lazy("Reduce"),
    ActionType.RENEWAL: gettext_lazy("Renew"),
    ActionType.MODIFICATION: gettext_lazy("Modify"),
}
_KINDS: Final = {
    "import": gettext_lazy("import"),
    "action": gettext_lazy("action"),
    "change": gettext_lazy("change by hand"),
    "legacy": gettext_lazy("old system"),
}


def overview(request: HttpRequest, guarantee: Guarantee) -> dict[str, Any]:
    """Context of the page; a constant number of queries."""
    history = history_of_number(guarantee.number)
    may_act = request.user.has_perm("guarantees.add_guaranteeaction")
    return {
        "now": _now(guarantee),
        "validity": validity(guarantee),
        "names": _names(guarantee),
        "origin": _origin(guarantee),
        "deeds": _deeds(guarantee) if may_act else [],
        "actions_done": _actions(guarantee),
        "others": _others(guarantee, history),
        "history": _told(history[:MOST_EVENTS]),
        "history_left_out": max(len(history) - MOST_EVENTS, 0),
        "why_read_only": why_read_only(guarantee),
        "to_decide": _to_decide(guarantee),
    }


def why_read_only(guarantee: Guarantee) -> str:
    if not guarantee.is_protected:
        return ""
    return _(
        "The data migration carried this guarantee over and protects what was imported: it "
        "changes only by a modification with a reason, which keeps both values."
    )


def validity(guarantee: Guarantee) -> tuple[str, str]:
    """How long it is valid still, and the tone of it."""
    if guarantee.status == GuaranteeStatus.RELEASED:
        return _("released"), "quiet"
    if guarantee.current_expiry is None:
        return _("no date of expiry"), "warn"
    days = (guarantee.current_expiry - timezone.localdate()).days
    if days < 0:
        told = ngettext("expired %(days)d day ago", "expired %(days)d days ago", -days)
        return told % {"days": -days}, "bad"
    if days == 0:
        return _("expires today"), "bad"
    told = ngettext("expires in %(days)d day", "expires in %(days)d days", days)
    return told % {"days": days}, "warn" if days <= 30 else "good"


def _now(guarantee: Guarantee) -> list[tuple[Any, Any]]:
    return [
        (_("Current expiry"), day(guarantee.current_expiry)),
        (_("Current amount"), money(guarantee.current_amount, guarantee.currency)),
        (_("Contract or order"), guarantee.contract_number or "–"),
        (_("Type"), guarantee.type or "–"),
    ]


def _names(guarantee: Guarantee) -> list[dict[str, Any]]:
    """Both parties: as written, and whom that means."""
    return [
        {
            "label": label,
            "raw": raw or "–",
            "known": known,
            "address": address(f"{name}_change", known.pk) if known else "",
        }
        for name, label, raw, known in (
            ("supplier", _("Supplier"), guarantee.raw_supplier_name, guarantee.supplier),
            ("bank", _("Bank"), guarantee.raw_bank_name, guarantee.bank),
        )
    ]


def _origin(guarantee: Guarantee) -> dict[str, Any]:
    return {
        "batch": guarantee.batch,
        "batch_address": address("importbatch_change", guarantee.batch_id),
        "kind": guarantee.get_import_kind_display(),
        "day": day(guarantee.import_date),
        "records": [
            {"pk": pk, "address": address("importedrecord_change", pk)}
            for pk in guarantee.legacy_records.values_list("pk", flat=True)[:1]
        ],
    }


def _deeds(guarantee: Guarantee) -> list[dict[str, Any]]:
    """The buttons; what cannot be done now says why."""
    deeds = []
    for action_type, label in _DEEDS.items():
        refusal = obstacle(action_type, guarantee)
        deeds.append(
            {
                "label": label,
                "address": address("guarantee_act", guarantee.pk, action_type.value),
                "why_not": refusal.message if refusal else "",
            }
        )
    return deeds


def _actions(guarantee: Guarantee) -> list[dict[str, Any]]:
    found = guarantee.actions.select_related("created_by").order_by("-created_at", "-pk")
    return [
        {
            "action": action,
            "address": address("guaranteeaction_change", action.pk),
            "what": what(action, guarantee.currency),
            "has_letter": has_letter(action),
        }
        for action in found[:MOST_EVENTS]
    ]


def what(action: GuaranteeAction, currency: str = "") -> str:
    """What an action sets, in words."""
    told = []
    if action.new_expiry is not None:
        told.append(_("until %(day)s") % {"day": day(action.new_expiry)})
    if action.new_amount is not None:
        told.append(money(action.new_amount, currency))
    if action.changes:
        count = len(action.changes)
        told.append(ngettext("%(count)d value", "%(count)d values", count) % {"count": count})
    return ", ".join(told) or "–"


def _others(guarantee: Guarantee, history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Other guarantees of the same number: nothing is merged."""
    pks = dict.fromkeys(
        event["guarantee"]
        for event in history
        if event["kind"] == "import" and event["guarantee"] != guarantee.pk
    )
    return [{"pk": pk, "address": address("guarantee_change", pk)} for pk in list(pks)[:20]]


def _told(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    differences = told_differences(event["differences"] for event in history)
    return [
        event
        | {
            "when": parse_datetime(event["at"]),
            "kind_label": _KINDS[event["kind"]],
            "changes": changes,
        }
        for event, changes in zip(history, differences, strict=True)
    ]


def _to_decide(guarantee: Guarantee) -> list[dict[str, Any]]:
    """Which names wait for a decision."""
    if guarantee.is_protected or guarantee.match_status == MatchStatus.READY:
        return []
    return [
        {
            "label": label,
            "address": f"{address('guarantee_decide', party, guarantee.pk)}",
        }
        for party, label in (("supplier", _("Decide the supplier")), ("bank", _("Decide the bank")))
    ]
