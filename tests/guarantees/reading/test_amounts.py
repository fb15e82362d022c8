from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guarantees.reading import ValueNotUnderstood, read_amount

UNDERSTOOD = {
    # one kind of separator, every group well formed: thousands
    "1,234": "1234.00",
    "114,556": "114556.00",
    "1,234,567": "1234567.00",
    "1.234.567": "1234567.00",
    "1.234": "1234.00",
    "100.000": "100000.00",
    # one kind, else: decimals
    "445930.440": "445930.44",
    "0.500": "0.50",
    "0,500": "0.50",
    "12,5": "12.50",
    "12.5": "12.50",
    "1234,56": "1234.56",
    "12.34": "12.34",
    "500.": "500.00",
    ".50": "0.50",
    ".500": "0.50",
    "SAR .5": "0.50",
    "٫٧٥": "0.75",
    "1234.5000": "1234.50",
    # both kinds: the last one marks decimals
    "1,234.56": "1234.56",
    "1.234,56": "1234.56",
    "1,234,567.8": "1234567.80",
    "1.234.567,80": "1234567.80",
    "1,234.560": "1234.56",
    # no separator
    "1": "1.00",
    "007": "7.00",
    "99999999999999.99": "99999999999999.99",
    # white space
    "  250 ": "250.00",
    "1 234 567": "1234567.00",
    "1\xa0234\xa0567,50": "1234567.50",
    "1\u202f234.50": "1234.50",
    "1,234 .50": "1234.50",
    # currency words
    "SAR 1,000": "1000.00",
    "1,000.00 SAR": "1000.00",
    "1000SR": "1000.00",
    "S.R. 1000": "1000.00",
    "SAR. 500": "500.00",
    "SAR.500": "500.00",
    "Saudi Riyals 12,500.75": "12500.75",
    "ريال 500": "500.00",
    "١٢٬٥٠٠٫٧٥ ريال سعودي": "12500.75",
    "5000 ر.س": "5000.00",
    "5000 ر.س.": "5000.00",
    "$ 12.50": "12.50",
    # Arabic-Indic and Persian digits, Arabic marks
    "٥٠٠": "500.00",
    "۵۰۰": "500.00",
    "١٬٢٣٤": "1234.00",
    "١٬٢٣٤٫٥": "1234.50",
    "١،٢٣٤": "1234.00",
    "\u200f١٢٣\u200f": "123.00",
    "+500": "500.00",
}

REFUSED = {
    "abc": "not_a_number",
    "N/A": "not_a_number",
    "-": "not_a_number",
    "SAR": "not_a_number",
    "5%": "not_a_number",
    "12 apples": "not_a_number",
    ".": "not_a_number",
    "1" * 101: "not_a_number",
    "1e3": "exponent",
    "1.5E+06": "exponent",
    "12-34": "several_numbers",
    "100 and 200": "several_numbers",
    "100 SAR 200 SAR": "several_numbers",
    "12 34": "several_numbers",
    "1000 2000": "several_numbers",
    "5/7": "several_numbers",
    "1,2,3": "bad_grouping",
    "12,34.56": "bad_grouping",
    "1,234.567.8": "bad_grouping",
    "0,123.45": "bad_grouping",
    "1.234,567,8": "bad_grouping",
    ",50": "bad_grouping",
    ".5.5": "bad_grouping",
    ".505": "too_many_decimals",
    ", 500": "bad_grouping",
    "12.345,678": "too_many_decimals",
    "1234.567": "too_many_decimals",
    "1,234.567": "too_many_decimals",
    "0.001": "too_many_decimals",
    "١٫٢٣٤": "too_many_decimals",
    "100000000000000": "too_large",
    "123456789012345.00": "too_large",
}


@pytest.mark.parametrize(("text", "amount"), UNDERSTOOD.items())
def test_amount_is_read_as_people_mean_it(text, amount):
    read = read_amount(text)
    assert str(read) == amount


@pytest.mark.parametrize(("text", "code"), REFUSED.items())
@pytest.mark.parametrize("legacy", [False, True])
def test_what_is_no_single_amount_is_refused_with_its_reason(text, code, legacy):
    with pytest.raises(ValueNotUnderstood) as caught:
        read_amount(text, legacy=legacy)
    assert caught.value.code == code
    assert caught.value.detail.startswith(f"“{text[:50]}")


@pytest.mark.parametrize("blank", [None, "", "   ", "\xa0", "\u200f"])
def test_blank_is_no_amount(blank):
    assert read_amount(blank) is None


@pytest.mark.parametrize(
    ("text", "amount", "code"),
    [
        ("0", "0.00", "zero"),
        ("0.00", "0.00", "zero"),
        ("-0", "0.00", "zero"),
        ("-5", "-5.00", "negative"),
        ("\u22125.50", "-5.50", "negative"),
        ("SAR -1,000", "-1000.00", "negative"),
        ("(1,234.50)", "-1234.50", "negative"),
        ("500-", "-500.00", "negative"),
    ],
)
def test_zero_and_negative_are_kept_for_legacy_rows_only(text, amount, code):
    assert read_amount(text, legacy=True) == Decimal(amount)
    with pytest.raises(ValueNotUnderstood) as caught:
        read_amount(text)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("cell", "amount"),
    [(5, "5.00"), (12.5, "12.50"), (1234.5600000000002, "1234.56"), (Decimal("1.20"), "1.20")],
)
def test_number_cells_of_workbooks_are_read(cell, amount):
    assert str(read_amount(cell)) == amount


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        (True, "not_a_number"),
        (float("nan"), "not_a_number"),
        (float("inf"), "not_a_number"),
        ([], "not_a_number"),
        (1.234, "too_many_decimals"),
        (Decimal("1.001"), "too_many_decimals"),
        (10**14, "too_large"),
        (1e300, "too_large"),
        (0, "zero"),
        (-1.5, "negative"),
    ],
)
def test_other_cells_are_refused(cell, code):
    with pytest.raises(ValueNotUnderstood) as caught:
        read_amount(cell)
    assert caught.value.code == code


amounts = st.decimals("0.01", "99999999999999.99", places=2)


@given(amounts)
def test_every_usual_way_to_write_an_amount_reads_back(amount):
    plain = f"{amount:.2f}"
    grouped = f"{amount:,.2f}"
    continental = grouped.translate(str.maketrans(",.", ".,"))
    arabic = plain.translate(str.maketrans("0123456789.", "٠١٢٣٤٥٦٧٨٩٫"))
    spaced = grouped.replace(",", "\xa0")
    for text in (plain, grouped, continental, arabic, spaced, f"SAR {grouped}", f"{grouped} ريال"):
        assert read_amount(text) == amount


@given(st.text() | st.text(alphabet="0123456789.,٬٫ -()eESAR٠٩"))
def test_any_text_is_read_or_refused_and_never_more_precise_than_the_column(text):
    amount = None
    with suppress(ValueNotUnderstood):
        amount = read_amount(text, legacy=True)
    assert amount is None or (amount.as_tuple().exponent == -2 and abs(amount) < Decimal("1e14"))
