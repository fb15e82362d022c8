"""Letters about extensions and releases (guarantees.md "Letters")."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from html import unescape
from importlib.util import find_spec

import pytest
from django.utils.html import strip_tags

from guarantees.action_errors import ActionRefused
from guarantees.letters import render_letters
from guarantees.letters.figures import written_amount, written_date
from migrations_tools.pdf import PDFUnavailable, render_pdf
from tests.guarantees.factories import BankFactory, GuaranteeActionFactory, SupplierFactory
from tests.guarantees.services.acting import draft, guarantee, issue

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def sender(settings):
    settings.CARRYOVER_LETTER_ORGANISATION = "Public Works Office"
    settings.CARRYOVER_LETTER_ORGANISATION_AR = "مكتب الأشغال"
    settings.CARRYOVER_LETTER_ADDRESS = "P.O. Box 1 | Riyadh"
    settings.CARRYOVER_LETTER_SIGNATORY = "A. Signatory"
    settings.CARRYOVER_LETTER_SIGNATORY_TITLE_AR = "المدير العام"


def complete_guarantee(**values):
    return guarantee(
        supplier=SupplierFactory.create(name="Noor <Contracting>", display_name="النور"),
        bank=BankFactory.create(name_en="First Bank", name_ar="البنك الأول"),
        contract_number="C-7",
        amount=Decimal("1234567.50"),
        current_amount=Decimal("1234567.50"),
        **values,
    )


def text_of(html: str) -> str:
    """What a reader reads, on one line."""
    body = html[html.index("<body>") :]
    return unescape(re.sub(r"\s+", " ", strip_tags(body.replace("<", " <")))).strip()


def test_dates_and_amounts_are_written_as_each_language_does():
    assert written_date(date(2026, 12, 31), "ar") == "٣١ ديسمبر ٢٠٢٦"
    assert written_date(date(2026, 2, 1), "en") == "1 February 2026"
    assert written_amount(Decimal("1234.5"), "SAR", "ar") == "١٬٢٣٤٫٥٠ ريال سعودي"
    assert written_amount(Decimal("1234.5"), "XXX", "ar") == "١٬٢٣٤٫٥٠ XXX"
    assert written_amount(Decimal("1234.5"), "SAR", "en") == "SAR 1,234.50"


def test_an_extension_in_arabic():
    complete_guarantee()
    action = issue()
    html = render_letters([action.pk], language="ar")
    assert '<html lang="ar" dir="rtl">' in html
    text = text_of(html)
    for told in (
        "مكتب الأشغال",
        "P.O. Box 1",
        "التاريخ: ٢ مايو ٢٠٢٥",
        "السادة / البنك الأول المحترمين",
        "طلب تمديد الضمان البنكي رقم LG-1",
        "تمديد سريانه حتى تاريخ ٣١ ديسمبر ٢٠٢٦",
        "المقاول النور",
        "رقم العقد أو أمر الشراء C-7",
        "مبلغ الضمان ١٬٢٣٤٬٥٦٧٫٥٠ ريال سعودي",
        "تاريخ الانتهاء ٣١ ديسمبر ٢٠٢٥",
        "المدير العام",
    ):
        assert told in text


def test_an_extension_in_english():
    complete_guarantee()
    action = issue()
    html = render_letters([action.pk], language="en")
    assert '<html lang="en" dir="ltr">' in html
    text = text_of(html)
    for told in (
        "Public Works Office P.O. Box 1 Riyadh",
        f"Date: 2 May 2025 Reference: {action.pk}",
        "To: First Bank",
        "Extension of bank guarantee No. LG-1",
        "until 31 December 2026 .",
        "Contractor Noor <Contracting>",
        "Amount SAR 1,234,567.50",
        "Valid until 31 December 2025",
        "A. Signatory المدير العام",
    ):
        assert told in text
    assert re.search("[٠-٩]", text) is None


def test_a_release_in_either_language():
    complete_guarantee()
    action = issue("release")
    arabic = text_of(render_letters([action.pk]))
    assert "الإفراج عن الضمان البنكي رقم LG-1" in arabic
    assert "تمديد" not in arabic
    english = text_of(render_letters([action.pk], language="en"))
    assert "Release of bank guarantee No. LG-1" in english
    assert "xten" not in english


def test_a_letter_shows_the_new_date_of_its_own_action():
    complete_guarantee()
    first, second = issue(), issue()
    letter = text_of(render_letters([first.pk], language="en"))
    assert "until 31 December 2026" in letter
    assert "2027" not in letter
    assert "until 31 December 2027" in text_of(render_letters([second.pk], language="en"))


def test_several_letters_are_one_document_a_page_each(django_assert_num_queries):
    complete_guarantee()
    extension, release = issue(), issue("release")
    with django_assert_num_queries(1):
        html = render_letters([release.pk, extension.pk, release.pk], language="en")
    assert html.count('<section class="letter">') == 2
    assert html.count("<html") == 1
    assert html.count("break-after: page") == 1
    assert html.index("Release of bank guarantee") < html.index("Extension of bank guarantee")


def test_what_was_written_by_people_cannot_become_markup():
    guarantee(supplier=SupplierFactory.create(name="<script>x</script>"), number="LG-1")
    html = render_letters([issue().pk], language="en")
    assert "<script>" not in html
    assert "&lt;script&gt;x&lt;/script&gt;" in html


def test_a_letter_loads_nothing():
    complete_guarantee()
    html = render_letters([issue().pk])
    assert not re.search(r"url\(|src=|href=|@import", html)


def test_actions_of_the_old_system_have_letters_without_a_guarantee_too():
    action = GuaranteeActionFactory.create(
        guarantee=None, number="OLD-1", issued=True, new_expiry=date(2026, 1, 1), bank_name="Bank"
    )
    assert "No. OLD-1" in text_of(render_letters([action.pk], language="en"))


@pytest.mark.parametrize(
    ("code", "actions", "language"),
    [
        ("no_letter", lambda: [draft().pk], "en"),
        ("no_letter", lambda: [issue("reduction", new_amount=Decimal(1)).pk], "en"),
        (
            "no_letter",
            lambda: [GuaranteeActionFactory.create(issued=True, new_expiry=None).pk],
            "en",
        ),
        ("not_found", lambda: [issue().pk, 2**70], "ar"),
        ("invalid_value", lambda: [], "ar"),
        ("invalid_value", lambda: [1], "fr"),
    ],
)
def test_what_has_no_letter_is_refused(code, actions, language):
    complete_guarantee()
    with pytest.raises(ActionRefused) as refused:
        render_letters(actions(), language=language)
    assert refused.value.code == code


def test_pdf_is_made_of_the_same_document_or_clearly_refused():
    complete_guarantee()
    html = render_letters([issue().pk])
    if find_spec("weasyprint"):
        assert render_pdf(html).startswith(b"%PDF-")
        return
    with pytest.raises(PDFUnavailable) as refused:
        render_pdf(html)
    assert (refused.value.code, "WeasyPrint" in refused.value.message) == ("pdf_unavailable", True)
