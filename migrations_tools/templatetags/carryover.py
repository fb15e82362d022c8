"""Tags and filters of our pages: ``{% load carryover %}``.

{% badge run.state run.get_state_display %}       a state in words, coloured by its tone
{% progress_bar done total %}                     bar with “120 of 500”
{% bar_chart _("Title") points %}                 points: (label, number[, tone]) …
{% stacked_chart _("Title") columns %}            columns: charts.Column …
{% histogram _("Title") bins %}                   bins: (label, number) … without gaps
{% outcome_bar _("Title") summary.outcomes %}     numbers by outcome, or (label, n, tone) …
{% line_chart _("Title") points %}                {% sparkline _("Title") numbers %}
seconds|duration   rate|rate   number|thousands   ratio|percent   instant|age   state|tone
{% arrow %}       from what was to what is
sentence|told     what was kept in English, in the language of the page
state|state_words   action|action_words
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import zip_longest
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.timesince import timesince
from django.utils.translation import get_language_bidi, ngettext
from django.utils.translation import gettext as _

from migrations_tools import charts
from migrations_tools.admin.addresses import admin_address
from migrations_tools.states import Outcome
from migrations_tools.told import told as told_on_page
from migrations_tools.tones import tone_of
from migrations_tools.words import action_words, state_words

register = template.Library()
register.filter(action_words)
register.filter(state_words)

_RUN = re.compile(r"run ([0-9a-f-]{36})")
_FIRST_TAG = re.compile(r"^\s*<t[dh]\b")


@register.inclusion_tag("carryover/badge.html")
def badge(state: str, label: str = "") -> dict[str, str]:
    """``state`` in words (``label``), coloured by its tone."""
    return {"tone": tone_of(state), "label": label or state_words(state)}


@register.inclusion_tag("carryover/progress.html")
def progress_bar(done: int, total: int, label: str = "") -> dict[str, Any]:
    """How much of ``total`` is done; without a total, only the number."""
    shown = _("%(done)s of %(total)s") % {
        "done": charts.number(done),
        "total": charts.number(total),
    }
    # attributes are read by the browser: plain digits in every language
    return {
        "value": str(min(done, total or done)),
        "max": str(max(total, 1)),
        "shown": shown,
        "label": label or _("Progress"),
    }


@register.filter
def told(sentence: str | None) -> str:
    """What was kept in English, in the language of the page."""
    return told_on_page(sentence)


@register.simple_tag
def arrow() -> str:
    """From what was to what is, in the direction of the page."""
    return "←" if get_language_bidi() else "→"


@register.simple_tag
def run_reason(reason: str | None) -> SafeString | str:
    """Why a row of history was written; the run that wrote it is a link."""
    found = _RUN.fullmatch(reason or "")
    address = admin_address("migrations_tools_run_change", found[1]) if found else ""
    if found and address:
        return format_html('<a href="{}">{}</a>', address, reason)
    return reason or "–"


@register.simple_tag
def bar_chart(title: str, points: Iterable[Any]) -> SafeString:
    return charts.column_chart(title, charts.as_columns(points))


@register.simple_tag
def histogram(title: str, bins: Iterable[Any]) -> SafeString:
    return charts.column_chart(title, charts.as_columns(bins), gap=0.04)


@register.simple_tag
def stacked_chart(title: str, columns: Sequence[charts.Column]) -> SafeString:
    return charts.column_chart(title, columns)


@register.simple_tag
def line_chart(title: str, points: Iterable[Any]) -> SafeString:
    return charts.line_chart(title, charts.as_parts(points))


@register.simple_tag
def sparkline(title: str, numbers: Iterable[float]) -> SafeString:
    return charts.sparkline(title, [float(value) for value in numbers])


@register.simple_tag
def outcome_bar(title: str, counts: Mapping[str, float] | Iterable[Any]) -> SafeString:
    """Shares of outcomes; a mapping by outcome is named and coloured by itself."""
    if isinstance(counts, Mapping):
        names = dict(Outcome.choices)
        parts = [
            charts.Part(str(names.get(key, key)), float(value), tone_of(key))
            for key, value in counts.items()
        ]
    else:
        parts = charts.as_parts(counts)
    return charts.outcome_bar(title, parts)


@register.filter
def tone(state: str) -> str:
    """good, warn, bad, info or quiet."""
    return tone_of(state)


@register.filter
def duration(seconds: float | None) -> str:
    """Seconds in words of one or two units: “1 h 5 min”, “40 s”, “0.2 s”."""
    if seconds is None:
        return "–"
    if seconds < 10:
        return _("%(n)s s") % {"n": charts.number(round(seconds, 1))}
    whole = round(seconds)
    if whole < 60:
        return _("%(n)s s") % {"n": whole}
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        parts = [_("%(n)s min") % {"n": minutes}, _("%(n)s s") % {"n": rest} if rest else ""]
        return " ".join(filter(None, parts))
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        parts = [_("%(n)s h") % {"n": hours}, _("%(n)s min") % {"n": minutes} if minutes else ""]
        return " ".join(filter(None, parts))
    days, hours = divmod(hours, 24)
    parts = [ngettext("%(n)s day", "%(n)s days", days) % {"n": days}]
    return " ".join([*parts, *([_("%(n)s h") % {"n": hours}] if hours else [])])


@register.filter
def rate(rows_per_second: float | None) -> str:
    """Rows per second in words."""
    if rows_per_second is None:
        return "–"
    whole = round(rows_per_second) if rows_per_second >= 10 else round(rows_per_second, 1)
    return _("%(n)s rows/s") % {"n": charts.number(whole)}


@register.filter
def thousands(value: float | None) -> str:
    """A number with separators: 12,345."""
    return "–" if value is None else charts.number(value)


@register.filter
def percent(ratio: float | None) -> str:
    """A ratio (0–1) as a percentage; small ones keep a decimal."""
    if ratio is None:
        return "–"
    share = ratio * 100
    shown = round(share, 1) if 0 < share < 10 or 90 < share < 100 else round(share)
    return _("%(n)s%%") % {"n": charts.number(shown)}


@register.filter
def age(instant: datetime | None) -> str:
    """How long ago in one unit: “3 hours ago”; a dash for never."""
    if instant is None:
        return "–"
    if (timezone.now() - instant).total_seconds() < 60:
        return _("just now")
    return _("%(time)s ago") % {"time": timesince(instant, depth=1)}


@register.filter
def labelled(cells: Iterable[str], headers: Sequence[Mapping[str, Any]]) -> Iterator[SafeString]:
    """Cells of a change list, each with its heading as ``data-label``: cards on a phone."""
    for cell, header in zip_longest(cells, headers):
        if cell is None:
            continue
        text = "" if header is None else str(header["text"])
        # the heading of the check boxes is a check box itself
        label = "" if "<" in text else escape(text[:1].upper() + text[1:])
        yield mark_safe(  # noqa: S308 - a cell that Django made, and an escaped label
            _FIRST_TAG.sub(lambda tag, label=label: f'{tag[0]} data-label="{label}"', cell, count=1)
        )
