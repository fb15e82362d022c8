from contextlib import suppress
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guarantees.reading import ValueNotUnderstood, read_date
from guarantees.reading.dates import SERIALS

UNDERSTOOD = {
    "2025-12-31": date(2025, 12, 31),
    "2025/12/31": date(2025, 12, 31),
    "2025-1-5": date(2025, 1, 5),
    "2025-12-31 00:00:00": date(2025, 12, 31),
    "2025-12-31T23:59:59.999Z": date(2025, 12, 31),
    "2025-12-31T10:00:00+03:00": date(2025, 12, 31),
    "31-12-2025": date(2025, 12, 31),
    "31/12/2025": date(2025, 12, 31),
    "31.12.2025": date(2025, 12, 31),
    "31 / 12 / 2025": date(2025, 12, 31),
    "1/2/2025": date(2025, 2, 1),
    "31/12/2025 10:30 AM": date(2025, 12, 31),
    "31-Dec-2025": date(2025, 12, 31),
    "31 December 2025": date(2025, 12, 31),
    "31-DEC-2025": date(2025, 12, 31),
    "1 Sept. 2025": date(2025, 9, 1),
    "Dec 31, 2025": date(2025, 12, 31),
    "May 5 2025": date(2025, 5, 5),
    "29 Feb 2024": date(2024, 2, 29),
    "31 ديسمبر 2025": date(2025, 12, 31),
    "٣١ ديسمبر ٢٠٢٥": date(2025, 12, 31),
    "31 ديسمبر 2025م": date(2025, 12, 31),
    "1 أبريل 2025": date(2025, 4, 1),
    "15 آب 2025": date(2025, 8, 15),
    "31 كانون الأول 2025": date(2025, 12, 31),
    "٢٠٢٥-١٢-٣١": date(2025, 12, 31),
    "\u200f٣١/١٢/٢٠٢٥\u200f": date(2025, 12, 31),
    "46022": date(2025, 12, 31),
    "46022.0": date(2025, 12, 31),
    "32874": date(1990, 1, 1),
    "73050": date(2099, 12, 31),
}

REFUSED = {
    "2025-02-30": "impossible_date",
    "2025-13-01": "impossible_date",
    "31/02/2025": "impossible_date",
    "13/13/2025": "impossible_date",
    "29 Feb 2025": "impossible_date",
    "now": "not_a_date",
    "today": "not_a_date",
    "garbage": "not_a_date",
    "31 Foo 2025": "not_a_date",
    "31/12/25": "not_a_date",
    "2025-12": "not_a_date",
    "-46022": "not_a_date",
    "x" * 1000: "not_a_date",
    "1447-06-15": "hijri_year",
    "15/06/1447": "hijri_year",
    "15/06/1447 هـ": "hijri_year",
    "١٥/٠٦/١٤٤٧ه": "hijri_year",
    "15 June 1447": "hijri_year",
    "15/06/1447 AH": "hijri_year",
    "0000-00-00": "implausible_year",
    "9999-12-31": "implausible_year",
    "0": "implausible_serial",
    "2025": "implausible_serial",
    "20251231": "implausible_serial",
    "32873": "implausible_serial",
    "73051": "implausible_serial",
    "9" * 40: "implausible_serial",
}


@pytest.mark.parametrize(("text", "day"), UNDERSTOOD.items())
def test_date_is_read_as_people_mean_it(text, day):
    assert read_date(text) == day


@pytest.mark.parametrize(("text", "code"), REFUSED.items())
def test_what_is_no_date_is_refused_with_its_reason(text, code):
    with pytest.raises(ValueNotUnderstood) as caught:
        read_date(text)
    assert caught.value.code == code
    assert len(caught.value.detail) < 120


@pytest.mark.parametrize("blank", [None, "", "  ", "\xa0"])
def test_blank_is_no_date(blank):
    assert read_date(blank) is None


@pytest.mark.parametrize(
    ("text", "day_first", "month_first"),
    [
        ("01/02/2025", date(2025, 2, 1), date(2025, 1, 2)),
        ("31/12/2025", date(2025, 12, 31), date(2025, 12, 31)),
        ("12/31/2025", date(2025, 12, 31), date(2025, 12, 31)),
    ],
)
def test_day_comes_first_unless_told_otherwise_or_impossible(text, day_first, month_first):
    assert read_date(text) == day_first
    assert read_date(text, day_first=False) == month_first


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        (46022, date(2025, 12, 31)),
        (46022.75, date(2025, 12, 31)),
        (73050.9, date(2099, 12, 31)),
        (date(2025, 1, 2), date(2025, 1, 2)),
        (datetime(2025, 1, 2, 23, 59), date(2025, 1, 2)),  # noqa: DTZ001 - workbooks have no zones
    ],
)
def test_cells_of_workbooks_are_read(cell, day):
    read = read_date(cell)
    assert read == day
    assert type(read) is date


@pytest.mark.parametrize("cell", [True, [], float("nan"), 1, 73051, -5.0])
def test_other_cells_are_refused(cell):
    with pytest.raises(ValueNotUnderstood):
        read_date(cell)


days = st.dates(date(1900, 1, 1), date(2199, 12, 31))


@given(days)
def test_every_usual_way_to_write_a_date_reads_back(day):
    iso = day.isoformat()
    arabic = iso.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    for text in (iso, arabic, f"{day:%d-%m-%Y}", f"{day:%d/%m/%Y}", f"{day:%d-%b-%Y}"):
        assert read_date(text) == day
    assert read_date(f"{day:%m/%d/%Y}", day_first=False) == day


@given(st.sampled_from(SERIALS))
def test_serials_count_days_as_workbooks_do(serial):
    assert read_date(str(serial)) == date(1899, 12, 30) + timedelta(days=serial)


@given(st.text() | st.text(alphabet="0123456789-/. T:ZDecه"))
def test_any_text_is_read_or_refused(text):
    read = None
    with suppress(ValueNotUnderstood):
        read = read_date(text)
    assert read is None or 1900 <= read.year < 2200
