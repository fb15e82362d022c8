"""CARRYOVER_HOME and the secrets in it."""

import stat
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

from config.home import REPOSITORY, carryover_home, read_or_create_secret


def test_home_is_var_beside_manage_py_unless_chosen(monkeypatch):
    monkeypatch.delenv("CARRYOVER_HOME")
    assert carryover_home() == REPOSITORY / "var"
    assert (REPOSITORY / "manage.py").exists()

    monkeypatch.setenv("CARRYOVER_HOME", "elsewhere")
    assert carryover_home() == Path("elsewhere").resolve()


def test_a_secret_is_made_once_however_many_ask_at_once(tmp_path):
    path = tmp_path / "new folder" / "secret"
    number = count()

    with ThreadPoolExecutor(16) as pool:
        answers = set(
            pool.map(lambda _: read_or_create_secret(path, lambda: f"{next(number)}"), range(64))
        )

    assert len(answers) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]
