"""The embedded PostgreSQL, for real: started by whoever needs it, shared, stopped, crashed."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

import django
import psycopg
import pytest
from django.conf import settings

from config.embedded.errors import EmbeddedServerError
from config.embedded.server import EmbeddedServer

QUERY = """
import django
django.setup()
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute({!r})
    if cursor.description:
        print(cursor.fetchone()[0])
"""
START_TIME = "SELECT pg_postmaster_start_time()"


@pytest.fixture
def server(tmp_path):
    server = EmbeddedServer(tmp_path / "home")
    yield server
    server.stop()


def query(run, sql, **environment):
    result = run("-c", QUERY.format(sql), **environment)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def kill_postmaster(server):
    os.kill(int((server.data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)


@pytest.mark.slow
def test_first_connections_of_several_processes_start_one_server_that_outlives_them(run, server):
    with ThreadPoolExecutor(4) as pool:
        started = set(pool.map(lambda _: query(run, START_TIME), range(4)))

    assert len(started) == 1
    assert server.is_running()
    assert query(run, START_TIME) in started


def test_notices_go_to_standard_error(run, server):
    result = run("-c", QUERY.format("SELECT 1"))

    assert result.stdout == "1\n"
    assert f"runs in {server.data}; `make stop` stops it." in result.stderr


def test_command_line_starts_reports_and_stops(run, server):
    assert run("-m", "config.embedded", "status").returncode == 3
    assert run("-m", "config.embedded", "start").stdout == f"Running: {server.data}\n"
    assert run("-m", "config.embedded", "status").returncode == 0
    assert run("-m", "config.embedded", "stop").stdout == f"Stopped: {server.data}\n"
    assert run("-m", "config.embedded", "stop").stdout == f"Not running: {server.data}\n"
    assert not server.is_running()


def test_stop_in_a_home_that_was_never_used_leaves_no_trace(run, server):
    assert run("-m", "config.embedded", "stop").returncode == 0
    assert not server.home.exists()


@pytest.mark.slow
def test_after_a_crash_the_next_connection_starts_it_again_with_what_was_committed(run, server):
    query(run, "CREATE TABLE kept (n int)")
    query(run, "INSERT INTO kept VALUES (7) RETURNING n")
    kill_postmaster(server)

    assert query(run, "SELECT n FROM kept") == "7"


@pytest.mark.slow
def test_a_connection_cut_by_a_crash_is_replaced_in_the_same_process(run, server):
    code = QUERY.format(START_TIME) + (
        "import os, pathlib, signal\n"
        "from django.conf import settings\n"
        "note = pathlib.Path(settings.CARRYOVER_HOME) / 'postgres' / 'postmaster.pid'\n"
        "os.kill(int(note.read_text().split()[0]), signal.SIGKILL)\n"
        "connection.close()\n"
        "with connection.cursor() as cursor:\n"
        "    cursor.execute('SELECT 2')\n"
        "    print(cursor.fetchone()[0])\n"
    )
    result = run("-c", code)

    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "2"


@pytest.mark.slow
def test_a_server_whose_process_id_now_belongs_to_another_process_is_started(run, server):
    query(run, "SELECT 1")
    kill_postmaster(server)
    note = server.data / "postmaster.pid"
    note.write_text("\n".join([str(os.getpid()), *note.read_text().split("\n")[1:]]))

    assert query(run, "SELECT 1") == "1"


@pytest.mark.slow
def test_a_crashed_server_waits_for_its_last_backends(run, server):
    """Until the last of them has seen the death, a second server would damage the data."""
    query(run, "SELECT 1")
    with psycopg.connect(server._conninfo()) as connection, ThreadPoolExecutor(1) as pool:
        backend = connection.info.backend_pid
        os.kill(backend, signal.SIGSTOP)
        try:
            kill_postmaster(server)
            second = pool.submit(query, run, "SELECT 2")
            time.sleep(2)
            assert not second.done()
        finally:
            os.kill(backend, signal.SIGCONT)
        assert second.result(timeout=60) == "2"


@pytest.mark.slow
def test_a_home_too_long_for_a_socket_and_with_odd_characters_works(run, tmp_path):
    home = tmp_path / ("very long " * 12) / "عربي, 'quoted'"
    server = EmbeddedServer(home)
    try:
        assert query(run, "SELECT 1", CARRYOVER_HOME=str(home)) == "1"
        assert server.socket_directory.stat().st_mode & 0o077 == 0
        kill_postmaster(server)
        assert query(run, "SELECT 2", CARRYOVER_HOME=str(home)) == "2"
    finally:
        server.stop()
    assert not server.socket_directory.exists()


def test_a_socket_folder_that_others_could_have_made_is_refused(tmp_path):
    server = EmbeddedServer(tmp_path / ("long" * 30))
    server.data.mkdir(parents=True)
    server.socket_directory.mkdir(mode=0o755)
    try:
        with pytest.raises(EmbeddedServerError, match="is not ours"):
            server.check_socket_directory()
    finally:
        server.socket_directory.rmdir()


def test_crash_safety_is_on_and_letters_of_all_scripts_are_known(run, server):
    sql = """
        SELECT concat_ws(' ', current_setting('fsync'), current_setting('synchronous_commit'),
                         current_setting('max_connections'), current_setting('server_encoding'),
                         lower('ÉÇ'), 'İÉ' ILIKE '%é', 'محمد' ~ '^\\w+$', 'محمد' ILIKE '%حم%')
    """
    assert query(run, sql) == "on on 100 UTF8 éç t t t"


def test_without_the_wheel_the_refusal_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    with pytest.raises(EmbeddedServerError, match=r"set DATABASE_URL .* extra `embedded`"):
        EmbeddedServer(tmp_path).ensure_running()


def test_data_of_another_version_is_refused_and_left_alone(tmp_path):
    server = EmbeddedServer(tmp_path)
    server.data.mkdir(mode=0o700)
    (server.data / "PG_VERSION").write_text("17\n")

    with pytest.raises(EmbeddedServerError, match=r"is of PostgreSQL 17, the server is 18"):
        server.ensure_running()
    assert [path.name for path in server.data.iterdir()] == ["PG_VERSION"]


@pytest.fixture
def as_ordinary_user(tmp_path):
    """Run the program as `nobody`, an ordinary user of this machine, in a home of their own."""
    if os.geteuid() != 0:
        pytest.skip("only root can act as a second user of the machine")
    account = pwd.getpwnam("nobody")
    home = tmp_path / "theirs"
    home.mkdir()
    os.chown(home, account.pw_uid, account.pw_gid)

    def run_as_ordinary_user(python, *arguments, **environment):
        return subprocess.run(
            [python, *arguments],
            user=account.pw_uid,
            group=account.pw_gid,
            extra_groups=[],
            cwd=settings.BASE_DIR,
            env={
                "CARRYOVER_HOME": str(home),
                "DJANGO_SETTINGS_MODULE": "config.settings",
                "PYTHONPATH": str(Path(django.__file__).parent.parent),
            }
            | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for python in (sys.executable, shutil.which(version, path="/usr/local/bin:/usr/bin")):
        with suppress(PermissionError):
            if (
                python
                and not run_as_ordinary_user(python, "-c", "import django, config").returncode
            ):
                return partial(run_as_ordinary_user, python)
    return pytest.skip("this checkout or its Python lies where no other user can read")


@pytest.mark.slow
@pytest.mark.slow
def test_an_ordinary_user_has_a_server_of_their_own_after_root_had_one(
    run, server, as_ordinary_user, tmp_path
):
    query(run, "SELECT 1")  # as root

    try:
        assert query(as_ordinary_user, "SELECT 2") == "2"
        assert (tmp_path / "theirs" / "postgres").owner() == "nobody"
        # root takes part in what an ordinary user started
        assert query(run, "SELECT 3", CARRYOVER_HOME=str(tmp_path / "theirs")) == "3"
    finally:
        assert as_ordinary_user("-m", "config.embedded", "stop").returncode == 0
    # and starts it as that user
    assert query(run, "SELECT 4", CARRYOVER_HOME=str(tmp_path / "theirs")) == "4"
    assert as_ordinary_user("-m", "config.embedded", "stop").returncode == 0


@pytest.mark.slow
def test_the_home_of_another_user_is_refused_with_a_way_out(run, server, as_ordinary_user):
    query(run, "SELECT 1")  # as root

    refused = as_ordinary_user("-c", QUERY.format("SELECT 1"), CARRYOVER_HOME=str(server.home))

    assert refused.returncode == 1
    assert "belongs to another user: set CARRYOVER_HOME to a folder" in refused.stderr
