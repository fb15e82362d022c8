"""Processes of the program under an environment of the test's choice."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings

Run = Callable[..., subprocess.CompletedProcess[str]]

# What a developer or CI may have set, and a test of settings must not inherit.
OWN_VARIABLES = (
    "CARRYOVER_",
    "DATABASE_URL",
    "SECRET_KEY",
    "REDIS_URL",
    "LOG_",
    "DJANGO_",
    "DEBUG",
)


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A temporary folder that no other pytest closes.

    For root the embedded server runs as another account, which must pass through to its data; every
    pytest that starts closes the folder that all of root's test folders lie in.
    """
    with tempfile.TemporaryDirectory(
        prefix="carryover-test-", ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run Python with the arguments, in embedded mode under a home of the test's own."""

    def run_python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(OWN_VARIABLES)
        }
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=settings.BASE_DIR,
            env=inherited
            | {
                "CARRYOVER_HOME": str(tmp_path / "home"),
                "DJANGO_SETTINGS_MODULE": "config.settings",
            }
            | environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run_python
