"""`make serve` and `make stop`."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User

from config import serve

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
FAIL = [sys.executable, "-c", "raise SystemExit(3)"]

SUPERVISE = """
import sys
from config import serve
with serve._process_file() as alone:
    print("alone" if alone else "not alone", flush=True)
    sys.exit(serve._run_until_stopped({commands!r}) if alone else 9)
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CARRYOVER_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def supervisor(home):
    """A process that runs two sleeping commands as `make serve` runs web and worker."""
    process = subprocess.Popen(
        [sys.executable, "-c", SUPERVISE.format(commands=[SLEEP, SLEEP])],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"},
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "alone\n"
        yield process
        process.kill()


def children(process):
    path = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    for _ in range(100):
        if len(pids := path.read_text().split()) == 2:
            return [int(pid) for pid in pids]
        time.sleep(0.1)
    raise AssertionError("the commands were not started")


@pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")
def test_stop_ends_the_server_and_all_that_it_started(supervisor, capsys):
    started = children(supervisor)

    assert serve.main(["stop"]) == 0

    assert capsys.readouterr().out == "Stopped serving.\n"
    assert supervisor.wait(timeout=10) == 0
    for pid in started:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_second_server_of_the_same_home_is_refused(supervisor):
    with serve._process_file() as alone:
        assert not alone


def test_stop_ends_no_process_that_merely_has_the_old_id(home, capsys):
    bystander = subprocess.Popen(SLEEP)
    try:
        (home / "serve.pid").write_text(str(bystander.pid))

        assert serve.main(["stop"]) == 0
        assert bystander.poll() is None
        assert capsys.readouterr().out == ""
    finally:
        bystander.send_signal(signal.SIGKILL)
        bystander.wait()


def test_the_end_of_one_command_is_the_end_of_all(home, run):
    result = run("-c", SUPERVISE.format(commands=[SLEEP, FAIL]))

    assert result.returncode == 1


def test_a_taken_port_is_seen():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert not serve._is_free(taken.getsockname()[1])


@pytest.mark.django_db
def test_the_login_that_is_printed_works_and_stays_the_same(home, settings, rf):
    settings.EMBEDDED = True
    first = serve._login()
    User.objects.filter(username="demo").update(password="!")

    assert serve._login() == first
    user = authenticate(rf.post("/"), username="demo", password=first.rsplit(" ", 1)[1])
    assert user is not None
    assert user.is_superuser


@pytest.mark.django_db
def test_no_account_is_made_in_a_database_of_ones_own(home, settings):
    settings.EMBEDDED = False

    assert "createsuperuser" in serve._login()
    assert not User.objects.filter(username="demo").exists()
