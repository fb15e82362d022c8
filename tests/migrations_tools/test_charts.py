"""Charts, tags and filters: numbers in words and pictures that a screen reader can tell."""

from __future__ import annotations

import datetime
import re

import pytest
from django.template import Context, Template
from django.utils import timezone, translation

from migrations_tools.charts import Column, Part


def render(source: str, **context: object) -> str:
    return Template("{% load carryover %}" + source).render(Context(context))


@pytest.mark.parametrize(
    ("source", "value", "told"),
    [
        ("{{ value|duration }}", 0.04, "0 s"),
        ("{{ value|duration }}", 2.5, "2.5 s"),
        ("{{ value|duration }}", 59.6, "1 min"),
        ("{{ value|duration }}", 3661, "1 h 1 min"),
        ("{{ value|duration }}", 86400 * 3 + 7200, "3 days 2 h"),
        ("{{ value|duration }}", None, "–"),
        ("{{ value|rate }}", 1234.6, "1,235 rows/s"),
        ("{{ value|rate }}", 0.25, "0.2 rows/s"),
        ("{{ value|thousands }}", 1234567, "1,234,567"),
        ("{{ value|thousands }}", None, "–"),
        ("{{ value|percent }}", 0.999, "99.9%"),
        ("{{ value|percent }}", 1, "100%"),
        ("{{ value|tone }}", "needs_attention", "bad"),
        ("{{ value|tone }}", "a state of tomorrow", "quiet"),
    ],
)
def test_numbers_and_states_are_told_in_words(source, value, told):
    assert render(source, value=value) == told


def test_an_age_has_one_unit():
    assert render("{{ at|age }}", at=timezone.now()) == "just now"
    at = timezone.now() - datetime.timedelta(hours=3, minutes=20)
    assert render("{{ at|age }}", at=at) == "3\xa0hours ago"
    assert render("{{ at|age }}", at=None) == "–"


def test_a_chart_has_its_numbers_as_a_table_and_escapes_what_it_is_given():
    points = [("<b>", 1200), ("two", 0)]
    page = render("{% bar_chart title points %}", points=points, title="A & B")
    assert "<b>" not in page
    assert 'aria-label="A &amp; B"' in page
    assert "<title>&lt;b&gt;: 1,200</title>" in page
    assert re.findall(r'<td class="number">([^<]*)</td>', page) == ["1,200", "0"]
    assert "style=" not in page


def test_stacked_columns_stand_on_each_other_and_name_their_parts():
    columns = [
        Column("Mon", [Part("good", 3, "good"), Part("bad", 1, "bad")]),
        Column("Tue", [Part("good", 0, "good"), Part("bad", 0, "bad")]),
    ]
    page = render('{% stacked_chart "Week" columns %}', columns=columns)
    parts = re.findall(
        r'fill-(\w+)" x="[\d.]+" y="([\d.]+)" width="[\d.]+" height="([\d.]+)"', page
    )
    assert parts[:2] == [("good", "50", "108"), ("bad", "14", "36")]
    assert {height for _, _, height in parts[2:]} == {"0"}
    assert re.findall(r'key-(\w+)">(\w+)', page) == [("good", "good"), ("bad", "bad")]
    assert re.findall(r'<td class="number">(\d+)</td>', page) == ["3", "1", "0", "0"]


def test_outcomes_are_shares_with_names_numbers_and_tones():
    counts = {"applied": 3, "quarantined": 1, "gone": 0}
    page = render('{% outcome_bar "Outcomes" counts %}', counts=counts)
    assert re.findall(r'fill-(\w+)" x="([\d.]+)"', page) == [("good", "0"), ("bad", "450")]
    assert re.findall(r"<li[^>]*>([^<]*)</li>", page) == ["applied: 3", "quarantined: 1"]


def test_lines_keep_plain_digits_in_their_geometry_whatever_the_language():
    with translation.override("ar"):
        page = render(
            '{% line_chart "L" points %}{% sparkline "S" n %}',
            points=[("a", 1), ("b", 2.5)],
            n=[1, 5, 3],
        )
    assert re.findall(r'points="([^"]*)"', page) == ["0,100.4 600,14", "0,24 50,2 100,13"]
    assert render('{% sparkline "S" n %}', n=[]) == ""


def test_a_progress_bar_has_plain_numbers_for_the_browser_and_readable_ones_beside_it():
    page = render("{% progress_bar 1500 2000 %}{% progress_bar 5 0 %}")
    assert 'value="1500" max="2000" aria-label="Progress"' in page
    assert "1,500 of 2,000" in page
    assert 'value="5" max="1"' in page


def test_cells_of_a_list_carry_their_heading_but_for_check_boxes():
    cells = ['<td class="action-checkbox"><input></td>', '<th class="field-a">1</th>', "<td>2</td>"]
    headers = [{"text": '<input type="checkbox">'}, {"text": 'a "b"'}]
    page = render(
        "{% for c in cells|labelled:headers %}{{ c }}{% endfor %}", cells=cells, headers=headers
    )
    assert re.findall(r'<t[dh] data-label="([^"]*)"', page) == ["", "A &quot;b&quot;", ""]
