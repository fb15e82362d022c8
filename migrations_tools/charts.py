"""Charts as SVG made by the server: no script, no inline style, the same numbers as a table.

Every chart is a ``<figure>`` whose table is one click away, so nothing is told by colour or shape
alone. Geometry is in units of the view box; colours come from classes of the stylesheet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

WIDTH, HEIGHT = 600.0, 180.0
LABELS = 22.0  # room below the axis


@dataclass(frozen=True)
class Part:
    """One number of a chart, what it counts, and its tone of `tones`."""

    label: str
    value: float
    tone: str = "info"


@dataclass(frozen=True)
class Column:
    """One place on the axis with the parts that are stacked there."""

    label: str
    parts: Sequence[Part]

    @property
    def total(self) -> float:
        return sum(part.value for part in self.parts)


def number(value: float) -> str:
    """A number as people of the page's language read it: 12,345 or 0.25."""
    short = abs(value) >= 10 or round(value, 1) == value
    decimals = 0 if float(value).is_integer() else 1 if short else 2
    return number_format(value, decimal_pos=decimals, use_l10n=True, force_grouping=True)


def column_chart(title: str, columns: Sequence[Column], *, gap: float = 0.3) -> SafeString:
    """Columns from left to right, each of one or more stacked parts."""
    highest = max((column.total for column in columns), default=0.0) or 1.0
    step = WIDTH / max(1, len(columns))
    room = HEIGHT - LABELS - 14
    every = 1 if len(columns) <= 8 else -(-len(columns) // 5)  # what fits, the last among them
    drawn: list[SafeString] = []
    for place, column in enumerate(columns):
        left, foot = place * step + step * gap / 2, HEIGHT - LABELS
        for part in column.parts:
            tall = part.value / highest * room
            foot -= tall
            drawn.append(_rectangle(left, foot, step * (1 - gap), tall, part, column.label))
        if (len(columns) - 1 - place) % every == 0:
            drawn.append(
                format_html(
                    '<text x="{}" y="{}" text-anchor="middle">{}</text>',
                    _unit(place * step + step / 2),
                    _unit(HEIGHT - 6),
                    column.label,
                )
            )
    svg = format_html(
        '<svg viewBox="0 0 {} {}" role="img" aria-label="{}">'
        '<text x="2" y="10">{}</text><line class="axis" x1="0" x2="{}" y1="{}" y2="{}"/>{}</svg>',
        _unit(WIDTH),
        _unit(HEIGHT),
        title,
        number(highest),
        _unit(WIDTH),
        _unit(HEIGHT - LABELS),
        _unit(HEIGHT - LABELS),
        _joined(drawn),
    )
    names = _names(columns)
    key = _legend(names) if len(names) > 1 else SafeString("")
    return _figure("chart", title, [svg, key], _columns_table(title, columns, names))


def outcome_bar(title: str, parts: Sequence[Part]) -> SafeString:
    """One bar whose parts are shares of a whole, with its legend and numbers."""
    shown = [part for part in parts if part.value]
    whole = sum(part.value for part in shown) or 1.0
    drawn, left = [], 0.0
    for part in shown:
        wide = part.value / whole * WIDTH
        drawn.append(_rectangle(left, 0, wide, 20, part, ""))
        left += wide
    svg = format_html(
        '<svg viewBox="0 0 {} 20" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>',
        _unit(WIDTH),
        title,
        _joined(drawn),
    )
    return _figure("chart outcomes", title, [svg, _legend(shown, values=True)])


def sparkline(title: str, values: Sequence[float]) -> SafeString:
    """A small line without axes: how a number went."""
    if not values:
        return SafeString("")
    words = format_html("{}: {} → {}", title, number(values[0]), number(values[-1]))
    return format_html(
        '<svg class="sparkline" viewBox="0 0 100 24" preserveAspectRatio="none" role="img" '
        'aria-label="{}"><title>{}</title><polyline class="line" points="{}"/></svg>',
        words,
        words,
        _points(values, 100, 24, 2),
    )


def line_chart(title: str, points: Sequence[Part]) -> SafeString:
    """A line over places from left to right, such as rows per second over batches."""
    values = [point.value for point in points]
    highest = max(values, default=0.0) or 1.0
    room = HEIGHT - LABELS
    line = _points(values, WIDTH, room, 14, lowest=0.0)
    svg = format_html(
        '<svg viewBox="0 0 {} {}" role="img" aria-label="{}">'
        '<text x="2" y="10">{}</text><line class="axis" x1="0" x2="{}" y1="{}" y2="{}"/>'
        '<polyline class="line" points="{}"/><text x="2" y="{}">{}</text>'
        '<text x="{}" y="{}" text-anchor="end">{}</text></svg>',
        _unit(WIDTH),
        _unit(HEIGHT),
        title,
        number(highest),
        _unit(WIDTH),
        _unit(room),
        _unit(room),
        line,
        _unit(HEIGHT - 6),
        points[0].label if points else "",
        _unit(WIDTH - 2),
        _unit(HEIGHT - 6),
        points[-1].label if points else "",
    )
    columns = [Column(point.label, [point]) for point in points]
    return _figure("chart", title, [svg], _columns_table(title, columns, _names(columns)[:1]))


def as_columns(points: Iterable[Part | Sequence[object]]) -> list[Column]:
    """Columns of single parts from parts, or from (label, value) and (label, value, tone)."""
    return [Column(part.label, [part]) for part in as_parts(points)]


def as_parts(points: Iterable[Part | Sequence[object]] | Mapping[str, float]) -> list[Part]:
    """Parts from parts, from tuples (label, value[, tone]), or from a mapping of numbers."""
    if isinstance(points, Mapping):
        return [Part(str(label), float(value)) for label, value in points.items()]
    parts = []
    for point in points:
        if isinstance(point, Part):
            parts.append(point)
        else:
            label, value, *tone = point
            parts.append(Part(str(label), float(str(value)), *map(str, tone)))
    return parts


def _points(
    values: Sequence[float], wide: float, tall: float, margin: float, lowest: float | None = None
) -> str:
    low = min(values, default=0.0) if lowest is None else lowest
    span = (max(values, default=0.0) - low) or 1.0
    step = wide / max(1, len(values) - 1)
    return " ".join(
        f"{_unit(place * step)},{_unit(tall - (value - low) / span * (tall - margin))}"
        for place, value in enumerate(values)
    )


def _rectangle(x: float, y: float, wide: float, tall: float, part: Part, where: str) -> SafeString:
    words = f"{where} · {part.label}" if where and where != part.label else part.label
    return format_html(
        '<rect class="fill-{}" x="{}" y="{}" width="{}" height="{}"><title>{}: {}</title></rect>',
        part.tone,
        _unit(x),
        _unit(y),
        _unit(wide),
        _unit(tall),
        words,
        number(part.value),
    )


def _names(columns: Sequence[Column]) -> list[Part]:
    """The different parts over all columns, as they come first."""
    found: dict[str, Part] = {}
    for column in columns:
        for part in column.parts:
            single = len(column.parts) == 1 and part.label == column.label
            found.setdefault("" if single else part.label, part)
    return list(found.values())


def _legend(parts: Sequence[Part], *, values: bool = False) -> SafeString:
    items = (
        (part.tone, f"{part.label}: {number(part.value)}" if values else part.label)
        for part in parts
    )
    return format_html(
        '<ul class="legend">{}</ul>', format_html_join("", '<li class="key-{}">{}</li>', items)
    )


def _columns_table(title: str, columns: Sequence[Column], names: Sequence[Part]) -> SafeString:
    single = len(names) == 1
    heads = [_("Number")] if single else [part.label for part in names]
    rows = []
    for column in columns:
        values = {part.label: part.value for part in column.parts}
        cells = [column.total] if single else [values.get(part.label, 0.0) for part in names]
        rows.append(
            format_html(
                '<tr><th scope="row">{}</th>{}</tr>',
                column.label,
                format_html_join("", '<td class="number">{}</td>', ((number(c),) for c in cells)),
            )
        )
    return format_html(
        '<details><summary>{}</summary><div class="scroll" tabindex="0"><table class="data">'
        '<caption class="visually-hidden">{}</caption>'
        '<thead><tr><th scope="col">{}</th>{}</tr></thead>'
        "<tbody>{}</tbody></table></div></details>",
        _("As a table"),
        title,
        _("What"),
        format_html_join("", '<th scope="col" class="number">{}</th>', ((h,) for h in heads)),
        _joined(rows),
    )


def _figure(
    css: str, title: str, inner: Sequence[SafeString], table: SafeString | str = ""
) -> SafeString:
    return format_html(
        '<figure class="{}"><figcaption>{}</figcaption>{}{}</figure>',
        css,
        title,
        _joined(inner),
        table,
    )


def _joined(pieces: Iterable[SafeString]) -> SafeString:
    return format_html_join("", "{}", ((piece,) for piece in pieces))


def _unit(value: float) -> str:
    """A length of the view box; never in the digits of a language."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
