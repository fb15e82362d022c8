"""Exports of lists: what was selected, in the columns of the list, safe for spreadsheets."""

from __future__ import annotations

import csv
from io import BytesIO, StringIO
from typing import Any

import openpyxl  # type: ignore[import-untyped]  # has no types
import pytest
from django.contrib import admin
from django.utils.html import format_html

from guarantees.models import Bank, Guarantee
from migrations_tools.admin.exporting import ExportMixin
from tests.guarantees.factories import BankFactory, GuaranteeFactory

pytestmark = pytest.mark.django_db


class GuaranteeList(ExportMixin):
    list_display = ["number", "status", "bank__short_code", "marked", "amount"]
    list_select_related = ["bank"]

    @admin.display(description="marked & escaped")
    def marked(self, guarantee: Guarantee) -> str:
        return format_html("<b>{}</b>", guarantee.number)


LIST = GuaranteeList(Guarantee, admin.site)


def csv_rows(answer: Any) -> list[list[str]]:
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(StringIO(text, newline="")))


def test_a_csv_has_the_columns_of_the_list_and_only_what_was_selected(rf):
    bank = BankFactory.create(short_code="SNB")
    GuaranteeFactory.create(number="=1&1", bank=bank, amount="1200.50")
    GuaranteeFactory.create(number="other")
    chosen = Guarantee.objects.filter(number="=1&1")
    answer = LIST.export_csv(rf.post("/"), chosen)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert 'attachment; filename="guarantee-' in answer.headers["Content-Disposition"]
    status = chosen.get().get_status_display()
    heading, row = csv_rows(answer)
    assert heading[0] == "Number"
    assert heading[3:] == ["Marked & escaped", "Amount"]
    assert row == ["'=1&1", str(status), "SNB", "'=1&1", "1200.50"]


def test_an_excel_file_holds_texts_as_texts_and_numbers_as_numbers(rf):
    GuaranteeFactory.create(number="=1+1", amount="1200.50", bank=None)
    answer: Any = LIST.export_xlsx(rf.post("/"), Guarantee.objects.all())
    assert answer.headers["Content-Disposition"].endswith('.xlsx"')
    content = b"".join(answer.streaming_content)
    sheet = openpyxl.load_workbook(BytesIO(content)).active
    number, _status, bank, _marked, amount = sheet[2]
    assert (number.value, number.data_type) == ("=1+1", "s")
    assert (bank.value, amount.value) == (None, 1200.5)


def test_columns_can_be_chosen_apart_from_the_list(rf):
    BankFactory.create(short_code="SNB", name_en="Bank & Sons")

    class BankList(ExportMixin):
        export_fields = ["name_en", "short_code"]

    answer = BankList(Bank, admin.site).export_csv(rf.post("/"), Bank.objects.all())
    assert csv_rows(answer)[1] == ["Bank & Sons", "SNB"]


def test_a_selection_of_everything_follows_the_filters_of_the_list(admin_client, monkeypatch):
    page = admin.site._registry[Guarantee]
    monkeypatch.setattr(type(page), "actions", ["exported"], raising=False)
    monkeypatch.setattr(
        type(page),
        "exported",
        admin.action(description="x")(
            lambda self, request, queryset: LIST.export_csv(request, queryset)
        ),
        raising=False,
    )
    GuaranteeFactory.create(number="A-1")
    GuaranteeFactory.create(number="B-1")
    given = {"action": "exported", "_selected_action": ["1"], "select_across": "1"}
    answer = admin_client.post("/admin/guarantees/guarantee/?q=A-1", given)
    assert [row[0] for row in csv_rows(answer)[1:]] == ["A-1"]
