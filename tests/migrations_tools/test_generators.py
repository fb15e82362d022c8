import json

import pytest
from django.core.management import CommandError, call_command

from migrations_tools import generators
from migrations_tools.generators import GenerationRefused, generate_file


@pytest.fixture
def two_rows(monkeypatch):
    """A kind whose generator writes its arguments, and stops half-way for seed 13."""

    def generate(path, *, rows, seed, defects):
        path.write_text(f"{rows} {seed} {defects}")
        if seed == 13:
            raise KeyboardInterrupt
        return {"things": rows}

    monkeypatch.setattr(generators, "_generators", {"things": generate})


pytestmark = pytest.mark.usefixtures("two_rows")


def test_the_command_writes_the_file_and_tells_the_rows(tmp_path, capsys):
    out = tmp_path / "things.sqlite"
    call_command("generate_legacy", "things", rows=2, seed=3, defects=0.5, out=out, json=True)
    assert out.read_text() == "2 3 0.5"
    assert json.loads(capsys.readouterr().out) == {
        "kind": "things",
        "file": str(out),
        "bytes": 7,
        "tables": {"things": 2},
    }


def test_an_existing_file_is_replaced_only_when_asked(tmp_path, capsys):
    out = tmp_path / "things.sqlite"
    out.write_text("precious")
    with pytest.raises(SystemExit) as caught:
        call_command("generate_legacy", "things", out=out, json=True)
    assert caught.value.code == 1
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "file_exists"
    assert out.read_text() == "precious"

    call_command("generate_legacy", "things", rows=1, out=out, force=True)
    assert out.read_text() == "1 0 0.05"


def test_an_interrupted_generator_leaves_nothing_behind(tmp_path):
    out = tmp_path / "things.sqlite"
    out.write_text("precious")
    with pytest.raises(KeyboardInterrupt):
        generate_file("things", out, rows=1, seed=13, defects=0, force=True)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["precious"]


def test_a_path_that_is_no_file_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "missing" / "file"):
        with pytest.raises(GenerationRefused) as caught:
            generate_file("things", path, rows=1, seed=0, defects=0)
        assert caught.value.code == "bad_path"


@pytest.mark.parametrize(
    "wrong",
    [["--defects", "1.5"], ["--defects", "x"], ["--rows", "-1"], ["--rows", "many"]],
)
def test_wrong_arguments_are_usage_errors(tmp_path, wrong):
    out = tmp_path / "things.sqlite"
    with pytest.raises(CommandError, match=wrong[0]):
        call_command("generate_legacy", "things", "--out", str(out), *wrong)
    with pytest.raises(CommandError, match="kind"):
        call_command("generate_legacy", "unheard_of", "--out", str(out))
    assert not out.exists()
