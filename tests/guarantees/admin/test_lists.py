"""Lists of the department: filters, search in any digits, exports, letters."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from importlib.util import find_spec
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest
from django.urls import reverse
from django.utils import timezone

from guarantees.dashboard_cards import guarantees as guarantees_card
from guarantees.models import ActionSession, Guarantee
from tests.guarantees.admin.test_acting import CLERK, client
from tests.guarantees.factories import (
    BankFactory,
    GuaranteeActionFactory,
    GuaranteeFactory,
    SupplierFactory,
)
from tests.guarantees.services.acting import clerk, draft, guarantee, issue

pytestmark = pytest.mark.django_db

LIST = reverse("admin:guarantees_guarantee_changelist")
LETTERS = reverse("admin:guarantees_guaranteeaction_letters")


def listed(**asked: str) -> set[str]:
    page = client("view_guarantee").get(LIST, asked)
    assert page.status_code == 200, asked
    return {row.number for row in page.context["cl"].result_list}


def test_a_number_is_found_by_the_digits_of_either_script():
    GuaranteeFactory.create(number="LG-12")
    GuaranteeFactory.create(number="LG-١٢")
    GuaranteeFactory.create(number="LG-3", raw_supplier_name="شركة النور")
    supplier = SupplierFactory.create(name="Gulf Roads")
    GuaranteeFactory.create(number="LG-4", supplier=supplier)
    assert listed(q="12") == {"LG-12", "LG-١٢"}
    assert listed(q="١٢") == {"LG-12", "LG-١٢"}
    assert listed(q="۱۲") == {"LG-12", "LG-١٢"}
    assert listed(q="النور") == {"LG-3"}
    assert listed(q="gulf") == {"LG-4"}
    for query in ("\x00", "%", "x" * 5_000):
        listed(q=query)


def test_guarantees_are_filtered_by_how_long_they_are_valid():
    today = timezone.localdate()
    for number, days in (("past", -1), ("today", 0), ("soon", 30), ("quarter", 31), ("far", 91)):
        GuaranteeFactory.create(number=number, current_expiry=today + timedelta(days=days))
    GuaranteeFactory.create(number="never", current_expiry=None)
    GuaranteeFactory.create(number="released", current_expiry=today, status="released")
    assert listed(validity="expired") == {"past"}
    assert listed(validity="soon") == {"today", "soon"}
    assert listed(validity="quarter") == {"today", "soon", "quarter"}
    assert listed(validity="later") == {"far"}
    assert listed(validity="unknown") == {"never"}
    assert len(listed(validity="nonsense")) == 7


def test_guarantees_are_filtered_by_supplier_and_bank():
    supplier, bank = SupplierFactory.create(), BankFactory.create()
    GuaranteeFactory.create(number="1", supplier=supplier)
    GuaranteeFactory.create(number="2", bank=bank)
    assert listed(supplier=str(supplier.pk)) == {"1"}
    assert listed(supplier="none") == {"2"}
    assert listed(bank=str(bank.pk)) == {"2"}
    assert listed(bank="x") == listed(bank="9" * 40) == {"1", "2"}
    suppliers = reverse("admin:guarantees_supplier_changelist")
    page = client("view_supplier").get(suppliers).content.decode()
    assert f'href="{LIST}?supplier={supplier.pk}">1</a>' in page


@pytest.mark.parametrize("file_format", ["export_csv", "export_xlsx"])
def test_a_list_is_exported_without_formulas(file_format):
    found = GuaranteeFactory.create(number="=1+1", comment="@SUM(A1)")
    sent: dict[str, Any] = {"action": file_format, "_selected_action": [found.pk]}
    answer = client("view_guarantee").post(LIST, sent)
    content = b"".join(answer)
    if file_format == "export_csv":
        assert "'=1+1" in content.decode("utf-8-sig")
    else:
        sheet = ZipFile(BytesIO(content)).read("xl/worksheets/sheet1.xml")
        assert b"<f>" not in sheet


def test_letters_are_pages_of_either_language_without_styles_in_them():
    guarantee()
    action = issue()
    user = client(*CLERK)
    page = user.get(LETTERS, {"action": str(action.pk), "language": "ar"})
    told = page.content.decode()
    assert "طلب تمديد الضمان البنكي" in told
    assert "letters.css" in told
    assert "<style" not in told
    assert "style=" not in told
    assert "default-src 'self'" in page["Content-Security-Policy"].split("; ")
    english = user.get(LETTERS, {"action": str(action.pk), "language": "en"}).content.decode()
    assert "Extension of bank guarantee" in english


def test_letters_that_are_none_are_refused_in_words():
    guarantee()
    drafted = draft("release")
    user = client(*CLERK)
    cases: list[tuple[dict[str, Any], int, str]] = [
        ({"action": drafted.pk}, 409, "is a draft"),
        ({"action": 2**63 - 1}, 404, "There is no action"),
        ({"action": "9" * 19}, 404, "There is no action"),
        ({"action": "9" * 30}, 422, "is no number."),
        ({"action": "x"}, 422, "is no number."),
        ({}, 422, "Name at least one action"),
        ({"action": drafted.pk, "language": "fr"}, 422, "is no language of letters"),
    ]
    for asked, status, sentence in cases:
        answer = user.get(LETTERS, asked)
        assert (answer.status_code, sentence in answer.content.decode()) == (status, True), asked
    assert client("view_guarantee").get(LETTERS, {"action": drafted.pk}).status_code == 403


@pytest.mark.skipif(find_spec("weasyprint") is None, reason="WeasyPrint is not installed")
def test_the_letters_of_a_session_are_one_pdf(monkeypatch):
    guarantee()
    issue()
    issue("reduction", new_amount=Decimal(5))
    issue("release")
    session = ActionSession.objects.get()
    page = reverse("admin:guarantees_actionsession_letters", args=[session.pk])
    user = client("view_guaranteeaction", "view_actionsession")
    assert user.get(page).content.decode().count('<section class="letter">') == 2
    pdf = user.get(page, {"format": "pdf", "language": "ar"})
    assert pdf["Content-Type"] == "application/pdf"
    assert pdf.content.startswith(b"%PDF-")
    assert pdf.content.count(b"/Type /Page\n") in (0, 2)  # 0: the objects are compressed
    for place in ("letters.pages", "admin.letter_pages"):
        monkeypatch.setattr(f"guarantees.{place}.MOST_IN_PDF", 1)
    refused = user.get(page, {"format": "pdf"})
    assert (refused.status_code, "part 1 to part 2" in refused.content.decode()) == (422, True)
    assert user.get(page, {"format": "pdf", "part": "2"}).content.startswith(b"%PDF-")
    shown = user.get(page, {"language": "en"}).content.decode()
    assert ("Letters 2 to 2 of 2" in shown, "Save as PDF" in shown) == (True, False)
    monkeypatch.setattr("guarantees.admin.letter_pages.MOST_LETTERS", 1)
    first = user.get(page, {"language": "en"}, follow=True)
    assert first.redirect_chain == [("?language=en&part=1", 302)]
    assert first.content.decode().count('<section class="letter">') == 1
    for part, status in (("3", 422), ("0", 422), ("x", 422)):
        assert user.get(page, {"part": part}).status_code == status
    gone = reverse("admin:guarantees_actionsession_letters", args=[session.pk + 1])
    assert user.get(gone).status_code == 404
    assert client("view_guaranteeaction").get(page).status_code == 403


def test_selected_actions_are_printed_if_they_have_letters():
    guarantee()
    extended, reduced = issue(), issue("reduction", new_amount=Decimal(5))
    listed_actions = reverse("admin:guarantees_guaranteeaction_changelist")
    user = client(*CLERK)
    sent: dict[str, Any] = {"action": "print_letters"}
    answer = user.post(listed_actions, sent | {"_selected_action": [extended.pk, reduced.pk]})
    assert answer["Location"] == f"{LETTERS}?action={extended.pk}"
    none = user.post(listed_actions, sent | {"_selected_action": [reduced.pk]}, follow=True)
    assert "None of these has a letter" in none.content.decode()
    with_letter = user.get(listed_actions, {"letter": "yes"}).context["cl"].result_list
    assert list(with_letter) == [extended]


def test_the_page_of_an_action_says_why_it_can_only_be_read():
    action = GuaranteeActionFactory.create(issued=True)
    page = reverse("admin:guarantees_guaranteeaction_change", args=[action.pk])
    assert "it can be neither changed nor deleted" in client(*CLERK).get(page).content.decode()


def test_the_overview_counts_what_waits(django_assert_num_queries):
    user = clerk("view_guarantee", "view_guaranteeaction")
    assert guarantees_card(user) is None
    today = timezone.localdate()
    soon = guarantee(current_expiry=today + timedelta(days=30), match_status="ready")
    guarantee(number="LG-2", current_expiry=today - timedelta(days=1))
    draft("release")
    user = clerk("view_guarantee", "view_guaranteeaction")
    user.has_perm("guarantees.view_guarantee")
    with django_assert_num_queries(2):
        card = guarantees_card(user)
    assert card is not None
    assert [figure.value for figure in card.figures] == [1, 1, 1, 1]
    assert Guarantee.objects.get(pk=soon.pk).status == "active"
    looker = clerk("view_guarantee")
    card = guarantees_card(looker)
    assert card is not None
    assert len(card.figures) == 3


@pytest.mark.parametrize("query", ["status__exact=%00", "number__regex=((", "bank=%00", "q=%00"])
def test_an_address_that_nobody_can_look_for_shows_the_list(query):
    GuaranteeFactory.create()
    answer = client("view_guarantee").get(f"{LIST}?{query}", follow=True)
    assert answer.status_code == 200
    assert len(answer.context["cl"].result_list) == 1


def test_another_name_is_given_to_somebody_of_the_dictionary():
    supplier, bank = SupplierFactory.create(name="Gulf Roads"), BankFactory.create()
    user = client("add_supplieralias", "add_bankalias", "view_supplieralias", "view_bankalias")
    suppliers = reverse("admin:guarantees_supplieralias_add")
    assert f"Gulf Roads ({supplier.pk})" in user.get(suppliers).content.decode()
    for wrong in ("", "\x00", "[1]", "9" * 5_000, "who?"):
        answer = user.post(suppliers, {"supplier": wrong, "name": "GR"})
        assert answer.status_code == 200, wrong
    assert user.post(suppliers, {"supplier": "gulf roads co.", "name": "GR"}).status_code == 302
    banks = reverse("admin:guarantees_bankalias_add")
    assert user.post(banks, {"bank": str(bank.pk), "name": "B"}).status_code == 302
    assert supplier.aliases.get().name == "GR"
    assert bank.aliases.get().name == "B"


@pytest.mark.parametrize(
    ("model", "words", "right", "link"),
    [
        ("guarantee", "No guarantee is here yet", "add_guarantee", "guarantees_workbook_new"),
        ("importbatch", "Nothing was imported yet", "add_guarantee", "guarantees_workbook_new"),
        ("supplier", "No supplier is here yet", "add_supplier", "guarantees_supplier_add"),
        ("bank", "No bank is here yet", "add_bank", "guarantees_bank_add"),
        (
            "guaranteeaction",
            "Nothing was done",
            "view_guarantee",
            "guarantees_guarantee_changelist",
        ),
    ],
)
def test_an_empty_list_says_what_to_do_first_to_those_who_may(model, words, right, link):
    address = reverse(f"admin:guarantees_{model}_changelist")
    begin = f'<a class="button default" href="{reverse(f"admin:{link}")}">'
    doing = client(f"view_{model}", right)
    assert words in doing.get(address).content.decode()
    assert begin in doing.get(address).content.decode()
    assert words not in doing.get(address, {"q": "x"}).content.decode()
    looking = client(f"view_{model}").get(address).content.decode()
    assert words in looking
    assert begin not in looking
