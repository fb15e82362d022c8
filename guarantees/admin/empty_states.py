"""What empty lists of the department say: what to do first."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

from migrations_tools.admin.lists import EmptyState

_WORKBOOK: Final = "guarantees_workbook_new"
_ADD: Final = "guarantees.add_guarantee"

NO_GUARANTEE: Final = EmptyState(
    title=_("No guarantee is here yet"),
    text=_(
        "Import a workbook, enter or paste guarantees – or import the records of the old system "
        "and run their migration."
    ),
    link=_("Import a workbook"),
    page=_WORKBOOK,
    permission=_ADD,
)
NO_BATCH: Final = EmptyState(
    title=_("Nothing was imported yet"),
    text=_("A batch is what a workbook, a day of typing or a day of pasting has brought in."),
    link=_("Import a workbook"),
    page=_WORKBOOK,
    permission=_ADD,
)
NO_SUPPLIER: Final = EmptyState(
    title=_("No supplier is here yet"),
    text=_(
        "Suppliers come with the records of the old system. You can also add one, or do so when "
        "you decide a name that an import did not know."
    ),
    link=_("Add a supplier"),
    page="guarantees_supplier_add",
    permission="guarantees.add_supplier",
)
NO_BANK: Final = EmptyState(
    title=_("No bank is here yet"),
    text=_("Banks come with the records of the old system. You can also add one."),
    link=_("Add a bank"),
    page="guarantees_bank_add",
    permission="guarantees.add_bank",
)
NO_ACTION: Final = EmptyState(
    title=_("Nothing was done with guarantees yet"),
    text=_("Open a guarantee and extend, release, reduce, renew or modify it."),
    link=_("Guarantees"),
    page="guarantees_guarantee_changelist",
    permission="guarantees.view_guarantee",
)
