"""`python -m config.serve [stop]`: the web server and the worker together, for one machine.

Behind `make serve` and `make stop`. A production set-up runs gunicorn and the workers by its own
means; see README.
"""

import argparse
import fcntl
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

import django
from django.conf import settings

from config.home import REPOSITORY, carryover_home, read_or_create_secret

DEMO_USERNAME = "demo"
STOP_SECONDS = 40  # longer than gunicorn's grace of 30 s, and a worker's slice
WEB_THREADS = 8


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 after a stop that was asked for; 1 if something could not run."""
    parser = argparse.ArgumentParser(prog="python -m config.serve", description=__doc__)
    parser.add_argument("command", choices=["start", "stop"], nargs="?", default="start")
    if parser.parse_args(arguments).command == "stop":
        return _stop()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    with _process_file() as alone:
        if not alone:
            return _refuse("Carryover is being served already from here; `make stop` stops it.")
        port = int(os.environ.get("PORT") or 8000)
        if not _is_free(port):
            return _refuse(f"Port {port} is taken: try `PORT={port + 1} make serve`.")
        _say(f"Carryover: http://127.0.0.1:{port}/")
        _say(_login())
        _say("Ctrl-C stops it.")
        return _run_until_stopped(_commands(port))


def _commands(port: int) -> list[list[str]]:
    # fmt: off
    web = [
        sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}",
        "--workers", "2", "--threads", str(WEB_THREADS), "--log-level", "warning",
    ]
    if settings.REDIS_URL:
        worker = [
            sys.executable, "-m", "celery", "--app", "config", "worker", "--beat",
            "--loglevel", "warning",
        ]
    else:
        worker = [sys.executable, "manage.py", "worker"]
    # fmt: on
    return [web, worker]


def _run_until_stopped(commands: list[list[str]]) -> int:
    """Run the commands side by side; the end of one, or a signal, is the end of all."""
    stopping = False

    def stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    processes = [
        subprocess.Popen(command, cwd=REPOSITORY, start_new_session=True)  # noqa: S603 (our own)
        for command in commands
    ]
    while not stopping and all(process.poll() is None for process in processes):
        time.sleep(0.2)
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for process in processes:
        try:
            process.wait(timeout=max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return 0 if stopping else 1


def _login() -> str:
    """The line that says how to log in; in embedded mode the user is made here."""
    if not settings.EMBEDDED:
        return "Log in with an account of yours (`manage.py createsuperuser` makes one)."
    from django.contrib.auth.models import User

    password = read_or_create_secret(
        carryover_home() / "demo-password", lambda: secrets.token_urlsafe(12)
    )
    user, created = User.objects.get_or_create(
        username=DEMO_USERNAME, defaults={"is_staff": True, "is_superuser": True}
    )
    if created or not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])
    return f"Log in as {DEMO_USERNAME} with the password {password}"


# --------------------------------------------------------------------------- one at a time


def _process_path() -> Path:
    return carryover_home() / "serve.pid"


@contextmanager
def _process_file() -> Iterator[bool]:
    """Hold the file that names this process; False if another process holds it."""
    handle = os.open(_process_path(), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        os.truncate(handle, 0)
        os.write(handle, str(os.getpid()).encode())
        yield True
    finally:
        os.close(handle)


def _stop() -> int:
    """Stop the process that holds the file; the id in a file that nobody holds is no one's."""
    if not _process_path().exists():
        return 0
    deadline = time.monotonic() + STOP_SECONDS + 5
    asked = False
    with _process_path().open() as file:
        while time.monotonic() < deadline:
            with suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if asked:
                    _say("Stopped serving.")
                return 0
            if not asked and (pid := file.read().strip()):
                os.kill(int(pid), signal.SIGTERM)
                asked = True
            time.sleep(0.1)
    return _refuse("The server did not stop in time.")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _refuse(text: str) -> int:
    sys.stderr.write(f"{text}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
