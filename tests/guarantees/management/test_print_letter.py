"""``manage.py print_letter``."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import call_command

from guarantees.letters import render_letters
from tests.guarantees.services.acting import guarantee, issue

pytestmark = pytest.mark.django_db


def test_it_writes_the_letters_to_the_file(tmp_path):
    guarantee()
    actions = [issue().pk, issue("release").pk]
    file, out = tmp_path / "letters.html", io.StringIO()
    call_command("print_letter", *actions, "--language", "en", "--out", file, "--json", stdout=out)
    expected = render_letters(actions, language="en")
    assert file.read_text(encoding="utf-8") == expected
    assert json.loads(out.getvalue()) == {
        "file": str(file),
        "letters": 2,
        "bytes": len(expected.encode()),
    }


def test_a_refusal_leaves_no_file(tmp_path):
    guarantee()
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("print_letter", issue().pk, 987654, "--out", tmp_path / "x", stderr=out)
    assert out.getvalue() == "There is no action 987654. [not_found]\n"
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_a_sentence(tmp_path):
    guarantee()
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("print_letter", issue().pk, "--out", tmp_path, stderr=out)
    assert out.getvalue() == f"{tmp_path} cannot be written: Is a directory. [file_not_written]\n"
