"""The same action on the guarantees selected in the list."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from guarantees.models import Guarantee, GuaranteeAction
from tests.guarantees.admin.test_acting import CLERK, client
from tests.guarantees.services.acting import currently, guarantee

pytestmark = pytest.mark.django_db

LIST = reverse("admin:guarantees_guarantee_changelist")


def select(user: Client, *found: Guarantee, **values: Any) -> Any:
    action = values.pop("action", "extend_selected")
    sent = {"action": action, "_selected_action": [row.pk for row in found]} | values
    return user.post(LIST, sent)


def confirmed(page: Any, **values: Any) -> dict[str, Any]:
    """What the page that asks would send."""
    sent: dict[str, Any] = {"confirm": "yes", "key": page.context["form"]["key"].value()}
    for name, value in page.context["hidden"]:
        sent.setdefault(name, []).append(value)
    return sent | values


def test_they_are_counted_with_every_refusal_and_then_issued():
    good, other = guarantee(), guarantee(number="LG-2")
    released = guarantee(number="LG-3", status="released")
    user = client()
    page = select(user, good, other, released)
    told = page.content.decode()
    assert "2 guarantees would be changed. 1 cannot be, and stays as it is." in told
    assert "Guarantee LG-3 is released: it takes no extension any more." in told
    assert not GuaranteeAction.objects.exists()
    done = user.post(LIST, confirmed(page, notes="as every year"))
    assert (len(done.context["issued"]), len(done.context["refusals"])) == (2, 1)
    assert str(currently(other)[0]) == "2026-12-31"
    assert set(GuaranteeAction.objects.values_list("notes", flat=True)) == {"as every year"}
    letters = user.get(
        reverse("admin:guarantees_guaranteeaction_letters"), {"action": done.context["letters"]}
    )
    assert letters.content.decode().count('<section class="letter">') == 2


def test_a_second_press_does_nothing_twice_and_says_so():
    found, user = guarantee(), client()
    sent = confirmed(select(user, found))
    user.post(LIST, sent)
    again = user.post(LIST, sent)
    assert "was not done twice" in again.content.decode()
    assert (len(again.context["issued"]), len(again.context["repeated"])) == (0, 1)
    assert str(currently(found)[0]) == "2026-12-31"


def test_what_is_given_for_all_is_read_and_refused_on_the_page():
    found, user = guarantee(), client()
    sent = confirmed(select(user, found))
    refused = user.post(LIST, sent | {"new_expiry": "31/2/2030"})
    assert (refused.status_code, "no day of the calendar" in refused.content.decode()) == (
        422,
        True,
    )
    assert user.post(LIST, sent | {"key": ""}).status_code == 422
    user.post(LIST, sent | {"new_expiry": "٣١/٣/٢٠٣٠"})
    assert str(currently(found)[0]) == "2030-03-31"


def test_releases_take_no_date():
    found, user = guarantee(), client()
    page = select(user, found, action="release_selected")
    assert "new_expiry" not in page.context["form"].fields
    user.post(LIST, confirmed(page, new_expiry="2030-01-01"))
    assert currently(found)[2] == "released"


def test_nothing_is_offered_or_done_without_the_permission():
    found = guarantee()
    sent = confirmed(select(client(), found))
    user = client(*(name for name in CLERK if name != "add_guaranteeaction"))
    assert "extend_selected" not in user.get(LIST).content.decode()
    assert user.post(LIST, sent).status_code in (200, 302)  # Django knows no such action then
    assert not GuaranteeAction.objects.exists()


def test_ids_that_are_none_and_too_many_are_refused(monkeypatch):
    found, user = guarantee(), client()
    sent = confirmed(select(user, found))
    for tampered in ("x", "9" * 40, "999999999"):
        answer = user.post(LIST, sent | {"_selected_action": [tampered]})
        assert answer.status_code in (302, 422), tampered
    assert not GuaranteeAction.objects.exists()
    monkeypatch.setattr("guarantees.services.actions.many.MOST_AT_ONCE", 0)
    refused = select(user, found)
    assert (refused.status_code, "more than are done at once" in refused.content.decode()) == (
        422,
        True,
    )
