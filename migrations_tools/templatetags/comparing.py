"""Links to the comparison of a record in both systems: ``{% load comparing %}``.

{% compare_link run.definition entry.step entry.key %}    a link, or nothing
{% comparison_url original as address %}                  for pages of what was carried over
"""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from migrations_tools import comparisons

register = template.Library()


@register.simple_tag
def compare_link(definition: str, step: int, key: str) -> SafeString | str:
    """A link to the comparison of the record with this key; empty where there is none.

    Columns of lists use it too.
    """
    address = comparisons.comparison_url(definition, step, key)
    return format_html('<a href="{}">{}</a>', address, _("Compare")) if address else ""


@register.simple_tag
def comparison_url(obj: object) -> str:
    """Where an object is compared with what it came from; empty for what was made here."""
    return comparisons.comparison_url_of(obj)
