"""The commands and the examples of docs/guarantees.md."""

import re
import shlex
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from guarantees.reading import read_amount, read_date

TEXT = (Path(settings.BASE_DIR) / "docs" / "guarantees.md").read_text()


@pytest.mark.django_db
def test_its_commands_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"python manage\.py ([^`\n]+)", TEXT)
    assert len(commands) == 2
    for command in commands:
        call_command(*shlex.split(command))
    assert (tmp_path / "practice.sqlite").stat().st_size > 0


def test_its_examples_are_read_as_it_says():
    for line in re.findall(r"^\| `.*$", TEXT, re.MULTILINE):
        _, written, means, *_ = line.split("|")
        if "refused" in means:
            continue
        meanings = [Decimal(number) for number in means.split(",")]
        examples = [read_amount(example) for example in re.findall("`([^`]+)`", written)]
        assert examples == meanings * (len(examples) // len(meanings))
    same_day = TEXT[TEXT.index("## How dates") : TEXT.index("are the same day")]
    days = {read_date(example) for example in re.findall("`([^`]+)`", same_day)}
    assert len(days) == 1
