"""Real worker processes, stopped at named fail-points."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


class Processes:
    """Starts ``manage.py datamigrate …`` on the test's database; ends what is left over."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment | {
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "CARRYOVER_LEASE_SECONDS": "1",
        }
        self.started: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str, failpoint: str = "") -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "datamigrate", *arguments],
            cwd=ROOT,
            env=self.environment | ({"CARRYOVER_FAILPOINT": failpoint} if failpoint else {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def run(self, *arguments: str, failpoint: str = "") -> tuple[int, dict[str, Any], str]:
        """Exit code, the JSON answer (empty where there is none), standard error."""
        process = self.start(*arguments, "--json", failpoint=failpoint)
        out, err = process.communicate(timeout=120)
        return process.returncode, json.loads(out) if out.strip() else {}, err

    def close(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
                process.communicate()


def wait_until_stopped(process: subprocess.Popen[Any], seconds: float = 60.0) -> None:
    """Wait until the process stands still by SIGSTOP."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            raise AssertionError(f"ended with {process.returncode} instead of standing still")
        _, status = os.waitpid(process.pid, os.WNOHANG | os.WUNTRACED)
        if status and os.WIFSTOPPED(status):
            return
        time.sleep(0.05)
    raise AssertionError("did not reach its fail-point")
