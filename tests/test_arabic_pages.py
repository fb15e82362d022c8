"""No English sentence is left on Arabic pages, but for data and for what other packages say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from django.test import Client
from django.urls import reverse

from migrations_tools.cutover.keys import all_cutovers
from migrations_tools.definitions import DataMigration
from migrations_tools.definitions.registry import all_definitions
from migrations_tools.imports.kinds import all_kinds
from tests.test_admin_lists import OURS, address, make_one_of_each, our_pages

pytestmark = pytest.mark.django_db

#: Three words of Latin letters, which no name or code is; one of them begins small.
SENTENCE = re.compile(r"(?=.*\b[a-z]{2,})[A-Za-z’']{2,}(?:[ ,;:]+[A-Za-z’']{2,}){2,}")

#: Data of tests that read like sentences.
DATA = {"Every key has an outcome"}

#: Pages that are no list, form or object.
PAGES = [
    "admin:index",
    "admin:migrations_tools_run_definitions",
    "admin:import_kinds",
    "admin:guarantees_enter",
    "admin:guarantees_paste",
    "admin:guarantees_workbook_new",
    "admin:sessions_app_contestsession_cohort",
]


class Words(HTMLParser):
    """The words of a page, those in attributes too, but for code and what says its language."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, bool]] = []
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        apart = tag in {"script", "style", "code", "pre"} or given.get("lang") == "en"
        apart |= bool(self.open and self.open[-1][1])
        if not apart:
            names = ("title", "aria-label", "placeholder", "alt", "data-label")
            self.found += [given[name] or "" for name in names if name in given]
        if tag not in {"input", "br", "img", "meta", "link", "hr", "wbr", "col"}:
            self.open.append((tag, apart))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not (self.open and self.open[-1][1]):
            self.found.append(data.strip())


def is_ours(definition: type[DataMigration]) -> bool:
    return definition.__module__.partition(".")[0] in OURS


def addresses() -> Iterator[str]:
    yield from map(reverse, PAGES)
    for definition in all_definitions():
        if is_ours(definition):
            yield reverse("admin:migrations_tools_run_definition", args=[definition.name])
    for kind in all_kinds():
        yield reverse("admin:import_new", args=[kind.name])
    for key in all_cutovers():
        yield reverse("admin:migrations_tools_cutover_key", args=[key.name])
    for page in our_pages():
        yield address(page)
        row = page.model._default_manager.first()
        if row is not None:
            yield address(page, "change", row.pk)


def english(client: Client, place: str) -> list[str]:
    answer = client.get(place, follow=True)
    assert answer.status_code in {200, 404}, place  # a row of a key that is none has no page
    words = Words()
    words.feed(answer.content.decode())
    return [text for text in words.found if SENTENCE.search(text)]


def test_no_english_sentence_is_left_on_arabic_pages(admin_user):
    make_one_of_each(1)
    client = Client(headers={"accept-language": "ar"})
    client.force_login(admin_user, backend="django.contrib.auth.backends.ModelBackend")
    known = [each.description() for each in all_definitions() if not is_ours(each)] + [*DATA]
    left = {
        text: place
        for place in addresses()
        for text in english(client, place)
        if not any(text.rstrip(" …") in " ".join(words.split()) for words in known)
    }
    assert left == {}
