"""Every word that people see has its Arabic, and the compiled catalogue is the one that is written.

What is said here to be missing goes into ``locale/ar/LC_MESSAGES/django.po``; then
``msgfmt -o django.mo django.po`` in that folder. Names of models and fields are words too
(`migrations_tools.model_names`), so the list is made here and not by ``makemessages``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from django.template import Context, Template
from django.utils import translation
from django.utils.translation import gettext, ngettext
from django.utils.translation.template import templatize

from migrations_tools.model_names import words

ROOT: Path = settings.BASE_DIR
FOLDER = ROOT / "locale" / "ar" / "LC_MESSAGES"
SINGLE = {"gettext", "gettext_lazy", "gettext_noop"}
PLURAL = {"ngettext", "ngettext_lazy"}
PLACE = re.compile(r"%\((\w+)\)[sd]")
LITERAL = r"""u?("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
IN_TEMPLATE = re.compile(rf"\b(_|gettext|ngettext)\({LITERAL}(?:, ?{LITERAL})?")

#: A word, or a word and its plural.
Entry = tuple[str, ...]


def python_entries(source: str) -> Iterator[Entry]:
    tree = ast.parse(source)
    imported = {  # the name it is called by here
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for alias in node.names
    }
    for node in ast.walk(tree):
        if (  # told where it is refused
            isinstance(node, ast.keyword)
            and node.arg == "deed"
            and isinstance(node.value, ast.Constant)
            and node.value.value
        ):
            yield (str(node.value.value),)
        if not isinstance(node, ast.Call):
            continue
        called = getattr(node.func, "id", getattr(node.func, "attr", ""))
        name = imported.get(called, called)
        wanted = 1 if name in SINGLE else 2 if name in PLURAL else 0
        texts = [a.value for a in node.args[:wanted] if isinstance(a, ast.Constant)]
        if wanted and len(texts) == wanted:
            yield tuple(map(str, texts))


def template_entries(source: str) -> Iterator[Entry]:
    for name, first, second in IN_TEMPLATE.findall(templatize(source)):
        found = [first, second] if name == "ngettext" else [first]
        yield tuple(ast.literal_eval(text) for text in found)


def entries() -> set[Entry]:
    """Everything that is to be translated, from code, templates and models."""
    found: set[Entry] = {(word,) for word in words()}
    for app in ("migrations_tools", "sessions_app", "guarantees"):
        for path in (ROOT / app).rglob("*.py"):
            if not {"migrations", "management"} & set(path.relative_to(ROOT).parts[1:-1]):
                found.update(python_entries(path.read_text(encoding="utf-8")))
    for folder in (ROOT / "templates", *ROOT.glob("*/templates")):
        for path in folder.rglob("*.html"):
            found.update(template_entries(path.read_text(encoding="utf-8")))
    return found


def written() -> dict[Entry, list[str]]:
    """The catalogue as it is written: words and the forms of their translation."""
    found: dict[Entry, list[str]] = {}
    for block in (FOLDER / "django.po").read_text(encoding="utf-8").split("\n\n"):
        ids: list[str] = []
        forms: list[str] = []
        for line in block.splitlines():
            kind, _, text = line.partition(" ")
            if kind.startswith("#") or not line:
                continue
            if line.startswith('"'):
                (forms or ids)[-1] += ast.literal_eval(line)
            else:
                (ids if kind.startswith("msgid") else forms).append(ast.literal_eval(text))
        if ids and ids != [""]:
            found[tuple(ids)] = forms
    return found


def test_every_word_has_its_arabic():
    known = written()
    assert sorted(entries() - known.keys()) == []
    assert [ids for ids, forms in known.items() if not all(forms)] == []


def test_every_translation_keeps_what_is_filled_in():
    for ids, forms in written().items():
        expected = set(PLACE.findall(ids[-1]))
        assert len(forms) == (6 if len(ids) == 2 else 1), ids
        for form in forms:
            places = set(PLACE.findall(form))
            # words for one and two tell the number themselves
            assert places == expected or (len(ids) == 2 and places <= expected), (ids, form)


def test_the_compiled_catalogue_is_the_one_that_is_written():
    with translation.override("ar"):
        for ids, forms in written().items():
            if len(ids) == 1:
                assert gettext(ids[0]) == forms[0]
            else:
                shown = [ngettext(ids[0], ids[1], number) for number in (0, 1, 2, 3, 11, 100)]
                assert shown == forms, "compile it: msgfmt -o django.mo django.po"


@pytest.mark.parametrize(
    ("days", "told"), [(2, "يومان"), (5, "5 أيام"), (14, "14 يومًا"), (100, "100 يوم")]
)
def test_numbers_are_told_as_arabic_counts(days, told):
    page = Template("{% load carryover %}{{ seconds|duration }}")
    with translation.override("ar"):
        assert page.render(Context({"seconds": days * 86_400})) == told


def test_amounts_are_written_as_forms_read_them():
    with translation.override("ar"):
        page = Template("{% load carryover %}{{ n|thousands }} {{ n }}")
        assert page.render(Context({"n": Decimal("1234567.5")})) == "1,234,567.5 1234567.5"


def test_entries_are_found_in_code_and_templates():
    code = (
        "from django.utils.translation import gettext as _, gettext_lazy as lazy, ngettext\n"
        'x = _("a" "b"); lazy("c"); ngettext("d", "e", n); _(name); require(p, deed="f")'
    )
    assert set(python_entries(code)) == {("ab",), ("c",), ("d", "e"), ("f",)}
    page = (
        "{% load i18n %}{% translate \"it's\" %}{% include 'x' with t=_('y') only %}"
        "{% blocktranslate count n=c %}{{ n }} row{% plural %}{{ n }} rows{% endblocktranslate %}"
    )
    assert set(template_entries(page)) == {("it's",), ("y",), ("%(n)s row", "%(n)s rows")}
