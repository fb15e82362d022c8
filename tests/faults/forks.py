"""Worker processes forked from the test: started in no time, killed and frozen at fail-points."""

from __future__ import annotations

import os
import signal
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import connection, connections

from migrations_tools.engine import failpoints
from migrations_tools.engine.side import close_side_connection

Deed = Callable[[], object]


@dataclass
class Child:
    """One forked process."""

    pid: int
    status: int | None = None

    def wait(self, seconds: float = 60.0) -> int:
        """Its exit code once it ended; the negative number of the signal that killed it."""
        until = time.monotonic() + seconds
        while self.status is None:
            found, status = os.waitpid(self.pid, os.WNOHANG)
            if found:
                self.status = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > until:
                raise AssertionError(f"process {self.pid} did not end")
            else:
                time.sleep(0.01)
        return self.status

    def wait_until_stopped(self, seconds: float = 60.0) -> None:
        """Wait until it stands still at its fail-point."""
        if not self.stands_still(seconds):
            raise AssertionError(f"ended with {self.status} instead of standing still")

    def stands_still(self, seconds: float = 60.0) -> bool:
        """Whether it came to its fail-point; False once it ended without."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            found, status = os.waitpid(self.pid, os.WNOHANG | os.WUNTRACED)
            if found and os.WIFSTOPPED(status):
                return True
            if found:
                self.status = os.waitstatus_to_exitcode(status)
                return False
            time.sleep(0.01)
        raise AssertionError("neither reached its fail-point nor ended")

    def go_on(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> int:
        os.kill(self.pid, signal.SIGKILL)
        return self.wait()


@dataclass
class Forks:
    """Starts processes with connections of their own; ends what is left over."""

    children: list[Child] = field(default_factory=list)

    def start(self, deed: Deed, failpoint: str = "") -> Child:
        """A process that does ``deed`` and ends with 0, or with 1 and its traceback printed."""
        connection.close()
        close_side_connection()
        pid = os.fork()
        if not pid:
            _be_a_child(deed, failpoint)
        child = Child(pid)
        self.children.append(child)
        return child

    def killed(self, deed: Deed, failpoint: str) -> None:
        """A process that is killed (SIGKILL) where ``failpoint`` says (``name:count``)."""
        name, _, count = failpoint.partition(":")
        code = self.start(deed, f"{name}:kill:{count or 1}").wait()
        assert code == -signal.SIGKILL, f"ended with {code}, not killed at {failpoint}"

    def stopped(self, deed: Deed, failpoint: str) -> Child:
        """A process that stands still (SIGSTOP) where ``failpoint`` says (``name:count``)."""
        name, _, count = failpoint.partition(":")
        child = self.start(deed, f"{name}:stop:{count or 1}")
        child.wait_until_stopped()
        return child

    def close(self) -> None:
        for child in self.children:
            if child.status is None:
                child.kill()


def _be_a_child(deed: Deed, failpoint: str) -> None:
    status = 1
    try:
        os.environ[failpoints.VARIABLE] = failpoint
        failpoints.reset()
        deed()
        status = 0
    except BaseException:  # noqa: BLE001 - whatever it is, this process ends here
        traceback.print_exc()
    finally:
        connections.close_all()
        os._exit(status)
