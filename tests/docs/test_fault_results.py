"""The results of the fault suite in docs/reliability.md are those of pytest's files."""

from __future__ import annotations

from pathlib import Path

from tests.faults.results import read_results, with_results

TEXT = """\
| fault | result | test | on 18 | on 15 |
|---|---|---|---|---|
| killed | goes on | `test_kills.py::test_a_kill` | – | – |
| Redis flushed | rings again | `tests/migrations_tools/test_celery.py::test_redis` | 9.0 s | – |
"""


def test_times_of_all_cases_are_added_up_and_failures_are_told(tmp_path: Path) -> None:
    kills = 'classname="tests.faults.test_kills"'
    case = f'<testcase {kills} name="test_a_kill[{{}}]" time="{{}}">{{}}</testcase>'
    (tmp_path / "18-long.xml").write_text(
        f"<testsuite>{case.format('a', 1.25, '')}{case.format('b', 2, '')}"
        '<testcase classname="tests.migrations_tools.test_celery" name="test_redis" time="1">'
        '<skipped message="no Redis"/></testcase></testsuite>'
    )
    (tmp_path / "15-faults.xml").write_text(
        f"<testsuite>{case.format('a', 1, '')}{case.format('b', 1, '<failure/>')}</testsuite>"
    )

    lines = with_results(TEXT, read_results(tmp_path)).splitlines()

    assert lines[2] == "| killed | goes on | `test_kills.py::test_a_kill` | 3.2 s | failed |"
    assert lines[3].endswith("`tests/migrations_tools/test_celery.py::test_redis` | – | – |")
    assert lines[:2] == TEXT.splitlines()[:2]
