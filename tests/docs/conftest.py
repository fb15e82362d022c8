from __future__ import annotations

import os
from pathlib import Path

import pytest
from pytest_django import Settings


@pytest.fixture
def practice(
    process_environment: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
) -> Path:
    """An empty folder to type commands in; the processes they start use the test's database."""
    for name, value in process_environment.items():
        if os.environ.get(name) != value:
            monkeypatch.setenv(name, value)
    settings.CARRYOVER_HOME = tmp_path
    monkeypatch.chdir(tmp_path)
    return tmp_path
