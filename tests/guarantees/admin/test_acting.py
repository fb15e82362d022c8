"""Acting on one guarantee in the admin: form, preview, confirmation."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from guarantees.models import ActionSession, Guarantee, GuaranteeAction
from guarantees.services.actions import edit_draft
from tests.guarantees.factories import GuaranteeFactory, SupplierFactory
from tests.guarantees.services import acting

pytestmark = pytest.mark.django_db

CLERK = ("view_guarantee", "view_guaranteeaction", "add_guaranteeaction", "change_guaranteeaction")


def client(*permissions: str) -> Client:
    """Somebody of the staff with these permissions; without any, a clerk."""
    user, _ = User.objects.get_or_create(username="salma", is_staff=True)
    rights = Permission.objects.filter(codename__in=permissions or CLERK)
    user.user_permissions.set(rights)
    logged_in = Client()
    logged_in.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return logged_in


def at(found: Guarantee, action_type: str = "extension") -> str:
    return reverse("admin:guarantees_guarantee_act", args=[found.pk, action_type])


def preview(user: Client, address: str, **values: Any) -> dict[str, Any]:
    """What the page that asks for confirmation would send."""
    sent = {"key": "page-1", "step": "preview"} | values
    page = user.post(address, sent)
    assert page.status_code == 200, page.content.decode()
    return sent | dict(page.context["hidden"])


TYPES: list[tuple[str, dict[str, Any], tuple[Any, Any, str]]] = [
    ("extension", {}, (date(2026, 12, 31), Decimal(1000), "active")),
    ("extension", {"new_expiry": "١/٣/٢٠٢٧"}, (date(2027, 3, 1), Decimal(1000), "active")),
    ("release", {"notes": "done"}, (date(2025, 12, 31), Decimal(1000), "released")),
    ("reduction", {"new_amount": "٤٠٠٫٥٠"}, (date(2025, 12, 31), Decimal("400.50"), "active")),
    ("renewal", {"new_amount": "5,000"}, (date(2026, 12, 31), Decimal(5000), "active")),
    (
        "modification",
        {"number": "LG-1", "amount": "900", "reason": "misread"},
        (date(2025, 12, 31), Decimal(900), "active"),
    ),
]


@pytest.mark.parametrize(("action_type", "values", "now"), TYPES)
def test_each_type_is_previewed_and_then_issued(action_type, values, now):
    found, user = acting.guarantee(), client()
    before = acting.written()
    assert user.get(at(found, action_type)).status_code == 200
    confirmed = preview(user, at(found, action_type), **values)
    assert acting.written() == before
    answer = user.post(at(found, action_type), confirmed | {"step": "issue"}, follow=True)
    assert "Issued: " in answer.content.decode()
    assert acting.currently(found) == now
    action = GuaranteeAction.objects.get()
    assert (action.status, action.created_by) == ("issued", User.objects.get(username="salma"))


def test_a_second_press_is_told_what_the_first_did():
    found, user = acting.guarantee(), client()
    confirmed = preview(user, at(found)) | {"step": "issue"}
    user.post(at(found), confirmed)
    again = user.post(at(found), confirmed, follow=True).content.decode()
    assert "This was done already: extension of LG-1" in again
    assert GuaranteeAction.objects.count() == 1
    assert acting.currently(found)[0] == date(2026, 12, 31)


def test_a_draft_is_kept_edited_and_issued():
    found, user = acting.guarantee(), client()
    confirmed = preview(user, at(found), new_expiry="2027-01-31")
    kept = user.post(at(found), confirmed | {"step": "draft"}, follow=True)
    assert "nothing is issued yet" in kept.content.decode()
    draft = GuaranteeAction.objects.get()
    assert (draft.status, acting.currently(found)[0]) == ("draft", date(2025, 12, 31))
    page = reverse("admin:guarantees_guaranteeaction_issue", args=[draft.pk])
    seen = dict(user.get(page).context["hidden"])
    # somebody changes it meanwhile
    request = acting.asked(new_expiry=date(2028, 1, 1))
    edit_draft(draft.pk, request, acting_user=acting.clerk(), surface="api")
    for stale in (seen, {}, {"agreed": "nonsense"}):
        refused = user.post(page, stale)
        assert (refused.status_code, "no longer what it was" in refused.content.decode()) == (
            409,
            True,
        )
    issued = user.post(page, dict(user.get(page).context["hidden"]), follow=True)
    assert "Issued: extension of LG-1" in issued.content.decode()
    assert acting.currently(found)[0] == date(2028, 1, 1)
    assert "This was done already" in user.post(page, seen, follow=True).content.decode()


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("extension", {"new_expiry": "2025-12-31"}, "is not later"),
    ("extension", {"new_expiry": "31/02/2027"}, "is no day of the calendar"),
    ("extension", {"new_expiry": "1447/01/01"}, "Hijri"),
    ("extension", {"new_expiry": "9" * 61}, "is not a date"),
    ("reduction", {"new_amount": "1000"}, "is not less"),
    ("reduction", {"new_amount": ""}, "This field is required"),
    ("reduction", {"new_amount": "-5"}, "is negative"),
    ("reduction", {"new_amount": "0"}, "is zero"),
    ("reduction", {"new_amount": "1" + "0" * 30}, "is larger than any amount"),
    ("reduction", {"new_amount": "1e3"}, "has an exponent"),
    ("renewal", {"new_amount": "0.001"}, "more than two decimals"),
    ("release", {"notes": "a\x00b"}, "no text that can be stored"),
    ("release", {"notes": "a" * 5_000}, "at most 4000 characters"),
    ("modification", {"number": "LG-1", "amount": "900", "reason": " "}, "needs a reason"),
    ("modification", {"number": " ", "reason": "r"}, "needs a number"),
    ("modification", {"number": "LG-1", "currency": "riyal", "reason": "r"}, "three letters"),
    (
        "modification",
        {"number": "LG-1", "supplier": "999999999999", "reason": "r"},
        "knows nobody",
    ),
    ("modification", {"number": "LG-1", "supplier": "9" * 30, "reason": "r"}, "knows nobody"),
]


@pytest.mark.parametrize(("action_type", "values", "sentence"), REFUSED)
def test_what_cannot_be_is_told_on_the_form_and_writes_nothing(action_type, values, sentence):
    found, user = acting.guarantee(), client()
    before = acting.written()
    for step in ("preview", "issue", "draft"):
        sent = {"key": "k", "agreed": "x", "step": step} | values
        answer = user.post(at(found, action_type), sent)
        assert answer.status_code == 422
        told = answer.content.decode()
        assert sentence in told or (step != "preview" and "no longer what it was" in told)
    assert acting.written() == before


@pytest.mark.parametrize(
    ("state", "action_type", "sentence"),
    [
        ({"status": "released"}, "extension", "is released"),
        ({"status": "released"}, "release", "is released already"),
        ({"supplier": None}, "extension", "supplier of guarantee"),
        ({"bank": None}, "release", "bank of guarantee"),
        ({"current_expiry": None, "expiry_date": None}, "extension", "no date of expiry"),
        ({"current_amount": None, "amount": None}, "reduction", "no amount"),
    ],
)
def test_a_guarantee_that_takes_no_action_says_why(state, action_type, sentence):
    found, user = acting.guarantee(**state), client()
    page = reverse("admin:guarantees_guarantee_change", args=[found.pk])
    assert sentence in user.get(page).content.decode()
    answer = user.post(at(found, action_type), {"key": "k", "new_amount": "5"})
    assert (answer.status_code, sentence in answer.content.decode()) == (422, True)


def test_nothing_is_issued_that_nobody_has_looked_at():
    found, user = acting.guarantee(), client()
    page = user.post(at(found), {"key": "k", "step": "issue"})
    assert "One guarantee is changed as follows" in page.content.decode()
    assert user.post(at(found), {"step": "issue"}).status_code == 422  # no key
    assert not GuaranteeAction.objects.exists()


def test_a_page_that_is_stale_is_not_carried_out():
    found, user = acting.guarantee(), client()
    confirmed = preview(user, at(found))
    acting.issue()
    answer = user.post(at(found), confirmed | {"step": "issue"})
    assert "is no longer what it was when you looked at it" in answer.content.decode()
    assert acting.currently(found)[0] == date(2026, 12, 31)
    # a look at what would be done now
    confirmed = preview(user, at(found), agreed="something old")
    user.post(at(found), confirmed | {"step": "issue"})
    assert acting.currently(found)[0] == date(2027, 12, 31)


def test_a_modification_leaves_alone_what_somebody_else_has_changed_meanwhile():
    found, user = acting.guarantee(comment="first", type="Final"), client()
    page = user.get(at(found, "modification"))
    form = page.context["form"]
    sent = {"key": "k", "reason": "r", "agreed": ""}
    for field in form:
        value = field.value()
        if field.name not in sent:
            sent[field.name] = "" if value is None else str(value)
            sent[field.html_initial_name] = sent[field.name]
    Guarantee.objects.filter(pk=found.pk).update(comment="theirs")
    other = SupplierFactory.create(name="Other")
    sent |= {"type": "Initial", "supplier": str(other.pk)}
    confirmed = preview(user, at(found, "modification"), **sent)
    user.post(at(found, "modification"), confirmed | {"step": "issue"})
    found.refresh_from_db()
    assert (found.comment, found.type, found.supplier) == ("theirs", "Initial", other)
    assert set(GuaranteeAction.objects.get().changes) == {"type", "supplier"}


def test_a_protected_guarantee_is_modified_and_says_why_its_form_is_closed():
    found = acting.guarantee(is_protected=True, match_status="ready")
    user = client()
    page = user.get(reverse("admin:guarantees_guarantee_change", args=[found.pk]))
    assert "changes only by a modification with a reason" in page.content.decode()
    confirmed = preview(user, at(found, "modification"), number="LG-9", reason="misread")
    user.post(at(found, "modification"), confirmed | {"step": "issue"})
    assert Guarantee.objects.get().number == "LG-9"


def test_a_key_of_another_deed_is_refused():
    found, user = acting.guarantee(), client()
    confirmed = preview(user, at(found))
    user.post(at(found), confirmed | {"step": "issue"})
    other = preview(user, at(found, "release"))
    answer = user.post(at(found, "release"), other | {"step": "issue"})
    assert "belongs to another request" in answer.content.decode()
    assert acting.currently(found)[2] == "active"


@pytest.mark.parametrize("missing", ["view_guarantee", "add_guaranteeaction"])
def test_without_the_permission_there_is_no_page(missing):
    found = acting.guarantee()
    user = client(*(name for name in CLERK if name != missing))
    for answer in (user.get(at(found)), user.post(at(found), {"key": "k", "step": "issue"})):
        assert answer.status_code == 403
    draft = acting.draft()
    page = reverse("admin:guarantees_guaranteeaction_issue", args=[draft.pk])
    assert client("view_guaranteeaction").get(page).status_code == 403
    assert client("view_guaranteeaction").post(page).status_code == 403
    assert GuaranteeAction.objects.get().status == "draft"
    shown = client("view_guarantee").get(
        reverse("admin:guarantees_guarantee_change", args=[found.pk])
    )
    assert "/act/" not in shown.content.decode()


def test_what_does_not_exist_is_not_found():
    found, user = acting.guarantee(), client()
    assert user.get(at(found, "nonsense")).status_code == 404
    gone = reverse("admin:guarantees_guarantee_act", args=[2**63 - 1, "extension"])
    assert user.get(gone).status_code == 404
    assert user.get(gone.replace(str(2**63 - 1), "9" * 40)).status_code == 404


def test_the_page_of_a_guarantee_takes_the_same_queries_however_long_its_history(
    django_assert_max_num_queries,
):
    found, user = acting.guarantee(), client(*CLERK, "change_guarantee")
    page = reverse("admin:guarantees_guarantee_change", args=[found.pk])
    user.get(page)
    with django_assert_max_num_queries(30) as few:
        user.get(page)
    for _ in range(4):
        acting.issue()
    for number in range(4):
        GuaranteeFactory.create(number="LG-1", supplier=SupplierFactory.create())
        edited = Guarantee.objects.get(pk=found.pk)
        edited.comment = str(number)
        edited.save()
    with django_assert_max_num_queries(len(few) + 2):  # names of suppliers and banks, if any
        assert "History of the number: 13 events" in user.get(page).content.decode()


def test_a_session_is_locked_after_a_look_at_what_it_holds():
    acting.guarantee()
    acting.issue()
    acting.draft("release")
    session = ActionSession.objects.get()
    page = reverse("admin:guarantees_actionsession_lock", args=[session.pk])
    rights = ("view_actionsession", "view_guaranteeaction")
    assert client(*rights).post(page).status_code == 403
    user = client(*rights, "change_actionsession")
    asked = user.get(page).content.decode()
    assert "The session with 2 actions" in asked
    assert "1 draft stays a draft for good." in asked
    locked = user.post(page, {"reason": "end of the day"}, follow=True).content.decode()
    assert "This session is locked" in locked
    assert user.post(page).status_code == 409
    session.refresh_from_db()
    assert session.is_locked
    assert session.history.latest().history_change_reason == "lock (admin): end of the day"
