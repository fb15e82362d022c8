"""Cells: plain values, and those that cannot be read."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from guarantees.reading.text import plain


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A cell without a value that could be taken over. ``message`` follows its column's name."""

    code: str
    message: str


#: A formula whose program did not keep what it came to.
FORMULA_WITHOUT_VALUE = Unreadable(
    "formula_without_value",
    gettext_noop("is a formula without a saved result; open the file in Excel and save it."),
)


def error_cell(shown: object) -> Unreadable:
    """A cell in which Excel shows an error, such as ``#REF!``."""
    return Unreadable("error_cell", _("shows the error %(shown)s.") % {"shown": shown})


def is_blank(cell: object) -> bool:
    """Whether a person sees nothing in the cell."""
    if isinstance(cell, str):
        # most texts begin with a letter or digit: no need to look further
        return not cell[:1].isalnum() and not plain(cell)
    return cell is None
