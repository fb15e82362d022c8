"""English evidence on pages in another language."""

from __future__ import annotations

import pytest
from django.template import Context, Template
from django.utils import translation
from django.utils.translation import gettext

from migrations_tools.told import told

KEPT = "Run 7 is completed and cannot be rolled back now."


@pytest.mark.parametrize("language", [None, "en"])
def test_english_pages_show_what_was_kept(language):
    with translation.override(language):
        assert told(KEPT) == KEPT
        assert told("") == told(None) == ""


def test_sentences_are_found_with_what_is_filled_in():
    with translation.override("ar"):
        expected = gettext("Run %(run)s is %(state)s and cannot be rolled back now.")
        assert told(KEPT) == expected % {"run": "7", "state": gettext("completed")}
        assert told("The row is no JSON object.") == gettext("The row is no JSON object.")


@pytest.mark.parametrize("kept", ["because the boss said so", "42", "is: 100%", "%(run)s"])
def test_what_the_catalogue_does_not_know_stays(kept):
    with translation.override("ar"):
        assert told(kept) == kept


def test_templates_tell_it_and_escape_it():
    page = Template("{% load carryover %}{{ kept|told }}")
    with translation.override("ar"):
        assert page.render(Context({"kept": "<b>"})) == "&lt;b&gt;"


@pytest.mark.parametrize(("language", "shown"), [("en", "1 → 2"), ("ar", "1 ← 2")])
def test_arrows_point_where_the_page_goes(language, shown):
    with translation.override(language):
        assert Template("{% load carryover %}1 {% arrow %} 2").render(Context()) == shown
