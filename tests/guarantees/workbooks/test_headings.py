"""Headings, by whole words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guarantees.workbooks import column_of

KNOWN = {
    "number": "BANK GURANTEE NUMBER|رقم الضمان|L/G No.|guaranteeNumber|LG Ref|رقم خطاب الضمان|"
    "Guarantee No / رقم الضمان|B.G. NO|guarantee_number",
    "supplier": "CONTRACTOR|Supplier Name|اسم المورد|المقاول|الشركة|VENDOR|company",
    "bank": "Bank|BANK NAME|Issuing Bank|اسم البنك|المصرف|Bank Name / اسم البنك|جهة الإصدار",
    "amount": "Amount|مبلغ الضمان|القيمة|Guarantee Amount|L/G Value|AMOUNT (SAR)|المبلغ",
    "currency": "Currency|العملة",
    "contract": "Contract|CONTRACT #|رقم العقد|Contract No.",
    "purchase_order": "P.O. Number|PO|Purchase Order|أمر الشراء|PO#",
    "contract_or_order": "Contract / PO No",
    "issue_date": "Issue Date|تاريخ الإصدار|BANK GUARANTEE ISSUE DATE|Issued on",
    "expiry_date": "Expiry Date|EXPIRY|تاريخ الانتهاء|Validity Date|Valid until|End date",
    "type": "Type|نوع الضمان|Guarantee Type",
    "comment": "Comments|ملاحظات|Remarks",
}
NOTHING = (
    "Deposit|No.|م|رقم|Date|Contract Value|قيمة العقد|Contract Date|Vendor No|Amount in words|"
    "Validity (days)|Bank Account|IBAN|Contract type|Guarantee|contractors' deposit|PO date|"
    "Banknote|Typewriter|Amounting|||–"
)


@pytest.mark.parametrize(
    ("heading", "column"),
    [(heading, column) for column, headings in KNOWN.items() for heading in headings.split("|")],
)
def test_a_heading_is_known_in_both_languages(heading, column):
    assert column_of(heading) == column
    assert column_of(f"  {heading} :") == column


@pytest.mark.parametrize("heading", NOTHING.split("|"))
def test_what_guarantees_do_not_keep_is_nothing(heading):
    assert column_of(heading) is None


@given(st.text(max_size=200))
def test_any_text_is_a_heading_or_none(text):
    assert column_of(text) in (None, *KNOWN)
